"""Client authentication over HTTP: one answer to everything that fails."""

import base64

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.db.session import transaction
from idp.domain.grants.client_registry import disable_client
from idp.domain.grants.client_secrets import rotate_secret
from idp.domain.upkeep.audit import SYSTEM
from idp.protocol.client_auth import ASSERTION_TYPE
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import SECRET, Service, secret_row

KEY = ECKey.generate_key("P-256", {"kid": "1"})


def call(service, headers=None, **form):
    return service.call("/introspect", headers=headers, **({"token": "x"} | form))


def basic(pair):
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def assert_401(tokens):
    """T401: one body for every cause."""
    assert tokens.error == (401, "invalid_client")
    assert tokens.body == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }
    assert tokens.response.headers["Cache-Control"] == "no-store"


@pytest.fixture
def signer(app, world, sessions, clock):
    """A client that proves itself with a key."""
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id="signer",
            details={
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [KEY.as_dict(private=False)]},
            },
        )
    return Service(app, "signer", None)


def assertion(clock, **changes):
    now = int(clock().timestamp())
    claims = {"iss": "signer", "sub": "signer", "aud": ORIGIN, "jti": "1", "exp": now + 60}
    return jwt.encode({"alg": "ES256", "kid": "1"}, claims | changes, KEY)


def test_ca_01_unknown_wrong_and_disabled_read_the_same(rp, app, world, sessions, clock):
    with transaction(sessions) as db:
        disable_client(db, "other", actor=SYSTEM, now=clock())
    answers = [
        call(Service(app, "nobody")),
        call(rp, rp.basic("wrong")),
        call(Service(app, "other")),
        call(Service(app, "spa")),
    ]
    for each in answers:
        assert_401(each)
    bodies = {each.response.get_data() for each in answers}
    headers = {each.response.headers["WWW-Authenticate"] for each in answers}
    assert len(bodies) == len(headers) == 1


def test_ca_01_the_challenge_is_there_only_if_the_header_was_used(rp):
    answer = call(rp, {}, client_id="rp", client_secret="wrong")
    assert_401(answer)
    assert "WWW-Authenticate" not in answer.response.headers


@pytest.mark.parametrize(
    "header",
    [
        "Basic !!!",
        "Basic " + base64.b64encode(b"rp").decode(),
        "Basic " + base64.b64encode(b"rp:\xff\xfe").decode(),
        "Basic " + base64.b64encode(b"rp:").decode(),
        "Basic " + base64.b64encode("rp:日本".encode()).decode(),
        "Basic " + base64.b64encode(b"rp%00:x").decode(),
        "Basic",
        "Digest x",
    ],
)
def test_ca_02_a_broken_header_is_refused(rp, header):
    assert_401(call(rp, {"Authorization": header}))


def test_ca_02_percent_encoding_works(app, world, sessions, clock):
    secret = "p%w:" + "x" * 40
    with transaction(sessions) as db:
        factories.make_client(db, now=clock(), client_id="odd:id%")
        db.add(secret_row("odd:id%", secret, now=clock()))
    encoded = b"odd%3Aid%25:" + secret.replace("%", "%25").replace(":", "%3A").encode()
    assert call(Service(app, "x"), basic(encoded)).status == 200


def test_ca_03_two_methods_are_malformed(rp):
    answer = call(rp, rp.basic(), client_id="rp", client_secret=SECRET)
    assert answer.error == (400, "invalid_request")


def test_ca_04_every_client_has_one_method(rp, signer, app, clock):
    assert_401(call(rp, {}, client_id="rp", client_secret=SECRET))
    assert_401(call(rp, {}, client_id="rp"))
    assert_401(call(signer, basic(b"signer:x")))
    assert_401(call(signer, {}, client_id="signer"))
    form = {"client_assertion_type": ASSERTION_TYPE}
    text = assertion(clock, iss="rp", sub="rp")
    assert_401(call(rp, {}, client_assertion=text, **form))


def test_a_client_registered_for_the_body_uses_the_body(app, world, sessions, clock):
    with transaction(sessions) as db:
        details = {"token_endpoint_auth_method": "client_secret_post"}
        factories.make_client(db, now=clock(), client_id="poster", details=details)
        db.add(secret_row("poster", SECRET, now=clock()))
    service = Service(app, "poster")
    assert call(service, {}, client_id="poster", client_secret=SECRET).status == 200
    assert_401(call(service))


def test_ca_05_an_assertion_works_once(signer, clock):
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(clock)}
    assert call(signer, {}, **form).status == 200
    assert_401(call(signer, {}, **form))


@pytest.mark.parametrize("audience", [ORIGIN + "/token", [ORIGIN], "https://evil.example"])
def test_ca_06_the_audience_is_our_issuer(signer, clock, audience):
    form = {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(clock, aud=audience),
    }
    assert_401(call(signer, {}, **form))


def test_ca_07_the_body_may_not_name_another_client(signer, clock):
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(clock)}
    assert_401(call(signer, {}, client_id="rp", **form))


def test_ca_09_both_secrets_work_during_a_rotation(rp, sessions, keys, clock, later):
    with transaction(sessions) as db:
        new = rotate_secret(db, "rp", actor=SYSTEM, keys=keys, now=clock()).secret
    assert call(rp).status == 200
    assert call(rp, rp.basic(new)).status == 200
    later(days=7)
    assert_401(call(rp))
    assert call(rp, rp.basic(new)).status == 200
