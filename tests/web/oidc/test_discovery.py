"""What is published over HTTP."""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.grants.key_rotation import publish_key
from idp.domain.upkeep.audit import SYSTEM
from tests.web.applications import ORIGIN
from tests.web.pages import Browser

DOCUMENTS = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


@pytest.fixture
def get(app, world):
    client = app.test_client()
    return lambda path, **headers: client.get(path, headers=headers, base_url=ORIGIN)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_both_names_answer_with_one_document(get, path):
    answer = get(path)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.get_json() == get(DOCUMENTS[0]).get_json()
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.get_json()["id_token_signing_alg_values_supported"] == ["ES256", "RS256"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", [*DOCUMENTS, "/jwks"])
def test_ca_10_any_page_may_read_what_is_public(get, path):
    answer = get(path, Origin="https://anywhere.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_document_names_exactly_the_mounted_endpoints(app, get):
    named = {
        value.removeprefix(ORIGIN)
        for name, value in get(DOCUMENTS[0]).get_json().items()
        if name.endswith("_endpoint") or name in {"jwks_uri", "check_session_iframe"}
    }
    mounted = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("oidc_") and "consent" not in rule.endpoint
    }
    # The address of one client is told to that client alone (RFC 7592).
    unnamed = {"/end_session/confirm", "/register/<client_id>"}
    assert named == mounted - set(DOCUMENTS) - unnamed


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Forwarded-Proto": "http"},
        {"X-Original-URL": "/admin"},
    ],
)
def test_kt_05_a_poisoned_host_changes_nothing(get, header):
    answer = get(DOCUMENTS[0], **header)
    if answer.status_code == 200:
        assert "evil.example" not in answer.get_data(as_text=True)
        assert answer.get_json()["issuer"] == ORIGIN
    else:
        assert answer.status_code == 400


def test_kt_02_the_keys_have_no_private_parts(get):
    keys = get("/jwks").get_json()["keys"]
    assert {each["alg"] for each in keys} == {"ES256", "RS256"}
    for each in keys:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(each)
        assert each["use"] == "sig"
        assert each["kid"]


def test_kt_01_a_new_key_is_seen_before_it_signs(get, sessions, clock, keys, later):
    before = {each["kid"] for each in get("/jwks").get_json()["keys"]}
    with transaction(sessions) as db:
        kid = publish_key(db, "ES256", keys=keys, actor=SYSTEM, now=clock())
    later(seconds=30)
    answer = get("/jwks")
    assert {each["kid"] for each in answer.get_json()["keys"]} == before | {kid}
    seconds = int(answer.headers["Cache-Control"].rpartition("=")[2])
    assert timedelta(seconds=seconds) == timedelta(hours=1)


def test_id_tokens_verify_with_what_is_published(get, rp, browser, session_id):
    from joserfc import jwt
    from joserfc.jwk import KeySet

    keys = KeySet.import_key_set(get("/jwks").get_json())
    tokens = rp.sign_in(browser)
    opened = jwt.decode(tokens.id_token, keys, algorithms=["RS256"])
    assert opened.header["alg"] == "RS256"
    assert opened.claims["iss"] == ORIGIN
    opened = jwt.decode(tokens.access_token, keys, algorithms=["ES256"])
    assert opened.header["typ"] == "at+jwt"
    assert opened.claims["aud"] == ORIGIN


@pytest.mark.parametrize("path", [*DOCUMENTS, "/jwks"])
def test_other_methods_are_refused(app, world, path):
    assert Browser(app).post(path).status == 405
