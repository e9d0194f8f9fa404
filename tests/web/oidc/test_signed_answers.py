"""Signed answers of the authorization endpoint (JARM)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.grants.jose import REGISTRIES
from tests import factories
from tests.signing import install_key
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK, Service
from tests.web.oidc.fapi import make_service
from tests.web.oidc.test_authorize import assert_shown


@pytest.fixture
def fapi(app, world, sessions, clock):
    return make_service(app, sessions, clock)


def answer(page):
    """Return the one parameter that an answer by query has."""
    assert page.status == 303, page
    assert page.location.startswith(CALLBACK)
    query = parse_qs(urlsplit(page.location).query)
    assert set(query) == {"response"}
    return query["response"][0]


def opened(app, text, alg="RS256"):
    """Verify an answer with the published keys, as its client does."""
    found = app.test_client().get("/jwks", base_url=ORIGIN).get_json()
    token = jwt.decode(text, KeySet.import_key_set(found), registry=REGISTRIES[alg])
    assert token.header["alg"] == alg
    assert token.header["kid"]
    return token.claims


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_a_signed_answer_says_everything_and_nothing_stands_beside_it(
    app, rp, browser, session_id, mode, clock
):
    claims = opened(app, answer(rp.authorize(browser, response_mode=mode)))
    assert {"code", "state", "iss", "aud", "exp"} <= set(claims)
    assert (claims["iss"], claims["aud"], claims["state"]) == (ORIGIN, "rp", "st-1")
    left = claims["exp"] - clock().timestamp()
    assert 0 < left <= timedelta(minutes=10).total_seconds()
    assert rp.redeem(claims["code"]).status == 200


def test_a_signed_answer_by_form_post(app, rp, browser, session_id):
    page = rp.authorize(browser, response_mode="form_post.jwt")
    fields = page.form(CALLBACK).fields
    assert set(fields) == {"response"}
    assert "code" in opened(app, fields["response"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid nothing"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("mode", ["jwt", "form_post.jwt"])
def test_errors_are_signed_too(app, rp, browser, mode, changes, error):
    page = rp.authorize(browser, response_mode=mode, **changes)
    text = page.form(CALLBACK).fields["response"] if mode == "form_post.jwt" else answer(page)
    claims = opened(app, text)
    assert (claims["error"], claims["state"], claims["aud"]) == (error, "st-1", "rp")
    assert "code" not in claims


def test_az_02_an_unregistered_address_is_shown_in_every_mode(rp, browser):
    for mode in ("jwt", "query.jwt", "form_post.jwt"):
        assert_shown(
            rp.authorize(browser, response_mode=mode, redirect_uri="https://evil.example/")
        )


def test_a_state_with_everything_in_it_comes_back_whole(app, rp, browser, session_id):
    state = "st&a\"te <x>'/é😀" * 20
    page = rp.authorize(browser, response_mode="jwt", state=state)
    assert opened(app, answer(page))["state"] == state


def test_fapi2_message_signing_jarm_is_signed_with_an_algorithm_of_the_profile(
    app, fapi, browser, session_id
):
    page = fapi.authorize(browser, response_mode="jwt")
    claims = opened(app, answer(page), "ES256")
    assert claims["aud"] == "fapi"
    page = browser.get(with_query("/authorize", fapi.params(response_mode="jwt")))
    claims = opened(app, answer(page), "ES256")
    assert claims["error"] == "invalid_request"


@pytest.mark.parametrize("alg", ["PS256", "EdDSA"])
def test_a_registered_algorithm_signs(app, world, sessions, clock, browser, session_id, keys, alg):
    with transaction(sessions) as db:
        install_key(db, keys=keys, now=clock(), alg=alg)
        details = {"authorization_signed_response_alg": alg}
        factories.make_client(db, now=clock(), client_id="signed", details=details)
    page = Service(app, "signed").authorize(browser, response_mode="jwt")
    assert opened(app, answer(page), alg)["aud"] == "signed"


def test_a_client_that_registered_other_modes_gets_them_alone(
    app, world, sessions, clock, browser, session_id
):
    with transaction(sessions) as db:
        details = {"kosodate_response_modes": ["query"]}
        factories.make_client(db, now=clock(), client_id="plain", details=details)
    page = Service(app, "plain").authorize(browser, response_mode="jwt")
    assert "error=invalid_request" in page.location


def test_jw_07_a_signed_answer_is_no_token_of_another_kind(app, rp, browser, session_id):
    text = answer(rp.authorize(browser, response_mode="jwt"))
    assert rp.userinfo(text).status == 401
    assert rp.introspect(text) == {"active": False}
    page = rp.authorize(browser, id_token_hint=text)
    assert "error=invalid_request" in page.location


def test_the_documents_say_what_signs(app, world):
    found = app.test_client().get("/.well-known/openid-configuration", base_url=ORIGIN).get_json()
    assert {"jwt", "query.jwt", "form_post.jwt"} <= set(found["response_modes_supported"])
    assert found["authorization_signing_alg_values_supported"] == ["ES256", "RS256"]
