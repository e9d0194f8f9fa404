"""What the conformance suite's logout plans ask, module by module (protocol.md §2.7 and §2.8)."""

from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import select

from idp.base.secret import to_base64url
from idp.base.url import with_query
from idp.domain.grants.logout import build_logout_call
from idp.domain.upkeep.outbox import BackchannelLogout
from idp.model.upkeep import OutboxMessage
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import answer_of

BYE = "https://rp.example/"
STATE = "aB3-_.~" * 18 + "zz"


def end(browser, **params):
    return browser.get(with_query("/end_session", params))


def error_of(rp, browser):
    return answer_of(rp.authorize(browser, prompt="none")).get("error")


def metadata(app):
    document = app.test_client().get("/.well-known/openid-configuration", base_url=ORIGIN)
    return document.get_json()


def assert_shown(page):
    """A page of ours: the browser is sent to nobody."""
    assert page.location is None
    assert page.status in {200, 400}
    assert "<main" in page.text


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(app, world):
    assert metadata(app)["end_session_endpoint"] == f"{ORIGIN}/end_session"


def test_oidcc_rp_initiated_logout(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state=STATE)
    assert page.status == 303
    assert page.location.startswith(f"{BYE}?")
    assert parse_qs(urlsplit(page.location).query) == {"state": [STATE]}
    assert error_of(rp, browser) == "login_required"


def test_oidcc_rp_initiated_logout_no_state(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert (page.status, page.location) == (303, BYE)


@pytest.mark.parametrize("uri", ["https://rp.example/x7", "https://evil.example/", "x"])
def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(rp, browser, session_id, uri):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=uri, state=STATE)
    assert_shown(page)
    assert page.status == 400
    assert error_of(rp, browser) is None


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=f"{BYE}?foo=bar", state=STATE)
    assert_shown(page)
    assert error_of(rp, browser) is None


def test_oidcc_rp_initiated_logout_modified_id_token_hint(rp, browser, session_id):
    """The same claims with `alg: none` and without a signature."""
    claims = rp.sign_in(browser).id_token.split(".")[1]
    for header in (b'{"alg":"none"}', b'{"alg":"none","typ":"JWT"}'):
        hint = f"{to_base64url(header)}.{claims}."
        assert_shown(end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state=STATE))
        assert error_of(rp, browser) is None


def test_oidcc_rp_initiated_logout_bad_id_token_hint(app, rp, browser, session_id):
    """The same claims, signed by somebody else under the name of our key."""
    tokens = rp.sign_in(browser)
    kid = jwt.decode(
        tokens.id_token, KeySet.import_key_set(app.test_client().get("/jwks", base_url=ORIGIN).json)
    ).header["kid"]
    foreign = RSAKey.generate_key(2048)
    hint = jwt.encode({"alg": "RS256", "kid": kid}, tokens.claims(), foreign)
    assert_shown(end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state=STATE))
    assert error_of(rp, browser) is None


def test_oidcc_rp_initiated_logout_no_id_token_hint(rp, browser, session_id):
    rp.sign_in(browser)
    page = end(browser, post_logout_redirect_uri=BYE, state=STATE)
    assert_shown(page)
    done = page.submit("/end_session", decision="logout")
    assert done.location == "/signed-out"


@pytest.mark.parametrize(
    "params",
    [{}, {"state": STATE}],
    ids=["no_params", "only_state"],
)
def test_oidcc_rp_initiated_logout_no_params_and_only_state(rp, browser, session_id, params):
    rp.sign_in(browser)
    page = end(browser, **params)
    assert_shown(page)
    done = page.submit("/end_session", decision="logout")
    assert done.location == "/signed-out"
    assert done.follow().status == 200
    assert error_of(rp, browser) == "login_required"


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, state=STATE)
    assert (page.status, page.location) == (303, "/signed-out")
    assert STATE not in page.follow().text
    assert error_of(rp, browser) == "login_required"


def test_oidcc_backchannel_rp_initiated_logout_discovery(app, world):
    facts = metadata(app)
    assert facts["backchannel_logout_supported"] is True
    assert facts["backchannel_logout_session_supported"] is True


def test_oidcc_backchannel_rp_initiated_logout(app, rp, browser, session_id, sessions, keys, clock):
    tokens = rp.sign_in(browser)
    page = end(browser, id_token_hint=tokens.id_token, post_logout_redirect_uri=BYE, state=STATE)
    assert parse_qs(urlsplit(page.location).query) == {"state": [STATE]}
    with sessions() as db:
        row = db.scalars(select(OutboxMessage)).one()
        ended = BackchannelLogout("rp", session_id, row.account_id)
        call = build_logout_call(db, ended, issuer=ORIGIN, keys=keys, now=clock())
    assert call.uri == "https://rp.example/backchannel"
    published = KeySet.import_key_set(app.test_client().get("/jwks", base_url=ORIGIN).json)
    opened = jwt.decode(call.logout_token, published, algorithms=["RS256"])
    claims, known = opened.claims, tokens.claims()
    assert opened.header["typ"] == "logout+jwt"
    assert (claims["iss"], claims["aud"]) == (ORIGIN, "rp")
    assert (claims["sub"], claims["sid"]) == (known["sub"], known["sid"])
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert claims["jti"]
    assert claims["exp"] - claims["iat"] <= 120
    assert "nonce" not in claims
    assert error_of(rp, browser) == "login_required"
