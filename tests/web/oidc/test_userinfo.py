"""UserInfo over HTTP."""

import pytest

from tests.web.applications import ORIGIN


def assert_refused(tokens, code="invalid_token", status=401):
    """BE: the challenge names the error, and there is no data."""
    assert tokens.status == status
    challenge = tokens.response.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer")
    assert f'error="{code}"' in challenge
    assert "sub" not in tokens.body


def test_a_token_in_the_header_gives_the_claims(rp, browser, session_id):
    tokens = rp.sign_in(browser, scope="openid profile email")
    answer = rp.userinfo(tokens.access_token)
    assert answer.status == 200
    assert answer.response.headers["Content-Type"].startswith("application/json")
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert answer.body["sub"] == tokens.claims()["sub"]
    assert answer.body["name"] == "佐倉 美咲"
    assert answer.body["email"] == "misaki.sakura@example.jp"
    assert answer.body["email_verified"] is False


def test_a38_role_and_household_are_told_to_a_service_that_may_know(rp, browser, session_id):
    tokens = rp.sign_in(browser, scope="openid household delegation")
    body = rp.userinfo(tokens.access_token).body
    assert body["kosodate_household"]["role"] == "representative"
    assert body["kosodate_delegations"] == []


def test_only_what_the_scope_names_is_given(rp, browser, session_id):
    assert set(rp.userinfo(rp.sign_in(browser, scope="openid").access_token).body) == {"sub"}


def test_a_claim_asked_for_by_name_is_given(rp, browser, session_id):
    claims = '{"userinfo":{"name":{"essential":true}}}'
    tokens = rp.sign_in(browser, scope="openid", claims=claims)
    assert set(rp.userinfo(tokens.access_token).body) == {"sub", "name"}
    assert "name" not in tokens.claims()


def test_a_claim_asked_for_in_the_id_token_stands_there(rp, browser, session_id):
    claims = '{"id_token":{"email":null,"iss":null}}'
    tokens = rp.sign_in(browser, scope="openid email", claims=claims)
    assert tokens.claims()["email"] == "misaki.sakura@example.jp"
    assert tokens.claims()["iss"] == ORIGIN


def test_a_post_brings_the_token_in_header_or_body(rp, browser, session_id):
    token = rp.sign_in(browser).access_token
    by_header = rp.http.post(
        "/userinfo", headers={"Authorization": f"bearer {token}"}, base_url=ORIGIN
    )
    by_body = rp.http.post("/userinfo", data={"access_token": token}, base_url=ORIGIN)
    assert by_header.status_code == by_body.status_code == 200
    assert by_header.get_json(force=True) == by_body.get_json(force=True)


def test_two_tokens_at_once_are_malformed(rp, browser, session_id):
    token = rp.sign_in(browser).access_token
    answer = rp.http.post(
        "/userinfo",
        data={"access_token": token},
        headers={"Authorization": f"Bearer {token}"},
        base_url=ORIGIN,
    )
    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]


def test_a_token_in_the_address_is_not_looked_at(rp, browser, session_id):
    token = rp.sign_in(browser).access_token
    answer = rp.http.get("/userinfo", query_string={"access_token": token}, base_url=ORIGIN)
    assert answer.status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic cnA6eA=="}])
def test_without_a_token_one_is_told_how_to_bring_it(rp, headers):
    answer = rp.http.get("/userinfo", headers=headers, base_url=ORIGIN)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="kosodate"'


@pytest.mark.parametrize("token", ["x", "a.b.c", "x" * 20_000, "eyJhbGciOiJub25lIn0.e30.", '"'])
def test_jw_01_what_is_no_token_is_refused(rp, token):
    assert_refused(rp.userinfo(token))


def test_jw_07_an_id_token_is_no_access_token(rp, browser, session_id):
    assert_refused(rp.userinfo(rp.sign_in(browser).id_token))


def test_a_token_that_ended_is_refused(rp, browser, session_id, later):
    token = rp.sign_in(browser).access_token
    later(minutes=5)
    assert_refused(rp.userinfo(token))


def test_ca_10_a_registered_origin_may_read_the_answer(spa, browser, session_id):
    token = spa.sign_in(browser, scope="openid").access_token
    answer = spa.userinfo(token, Origin="https://spa.example").response
    assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.example"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "https://spa.example.evil.tld"])
@pytest.mark.parametrize("path", ["/token", "/userinfo", "/revoke"])
def test_ca_10_another_origin_may_not(spa, path, origin):
    for method in ("OPTIONS", "POST"):
        answer = spa.http.open(path, method=method, headers={"Origin": origin}, base_url=ORIGIN)
        names = [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert names == []


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/revoke"])
def test_ca_10_a_registered_origin_may_ask_first(spa, path):
    answer = spa.http.open(
        path,
        method="OPTIONS",
        headers={"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"},
        base_url=ORIGIN,
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.example"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_ca_10_introspection_is_not_for_browsers(spa):
    answer = spa.http.open(
        "/introspect", method="OPTIONS", headers={"Origin": "https://spa.example"}, base_url=ORIGIN
    )
    assert "Access-Control-Allow-Origin" not in answer.headers
