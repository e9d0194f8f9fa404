"""Clients that sign with their secret over HTTP (client_secret_jwt, OIDC Core §9)."""

from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from idp.db.session import transaction
from idp.domain.grants.client_registry import register_client
from idp.domain.grants.client_secrets import rotate_secret
from idp.domain.upkeep.audit import SYSTEM
from idp.protocol.addresses import AddressRules
from idp.protocol.client_auth import ASSERTION_TYPE
from idp.protocol.registration import parse_registration
from idp.web.deps import SERVICES
from tests.web.applications import ORIGIN, build_app
from tests.web.oidc.conftest import CALLBACK, SECRET, Service
from tests.web.oidc.registering import Elsewhere, Registered, Registrar, make_token
from tests.web.oidc.test_client_authentication import assert_401, basic, call

KEY = ECKey.generate_key("P-256", {"kid": "1"})


@pytest.fixture
def app(database_url, clock):
    """The whole provider, on each database."""
    return build_app(database_url, clock)


@pytest.fixture
def register(app, world, sessions, keys, clock):
    """Register a service that signs with its secret."""

    def run(**changes):
        document = {
            "client_id": "signer",
            "client_name": "Signer",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "client_secret_jwt",
            "grant_types": ["authorization_code", "client_credentials"],
            "scope": "openid profile",
            "kosodate_consented": True,
        } | changes
        registration = parse_registration(document, rules=AddressRules())
        with transaction(sessions) as db:
            made = register_client(db, registration, actor=SYSTEM, keys=keys, now=clock())
        return Service(app, "signer", made.secret)

    return run


@pytest.fixture
def signer(register):
    return register()


@pytest.fixture
def sign(clock):
    """Make the form of an assertion that the secret, or another key, has signed."""

    def run(secret, *, alg="HS256", client_id="signer", **changes):
        now = int(clock().timestamp())
        claims = {"iss": client_id, "sub": client_id, "aud": ORIGIN, "jti": "1", "exp": now + 60}
        key = OctKey.import_key(secret) if isinstance(secret, str) else secret
        text = jwt.encode({"alg": alg}, claims | changes, key, algorithms=[alg])
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}

    return run


def test_a_code_is_redeemed_with_a_signature_by_the_secret(signer, sign, browser, session_id):
    code = signer.code(browser)
    tokens = signer.redeem(code, headers={}, **sign(signer.secret))
    assert tokens.status == 200, tokens.body
    assert tokens.claims()["aud"] == "signer"


def test_ca_05_a_signature_by_the_secret_works_once(signer, sign):
    form = sign(signer.secret)
    assert call(signer, {}, **form).status == 200
    assert_401(call(signer, {}, **form))


@pytest.mark.parametrize("endpoint", ["/token", "/introspect", "/revoke", "/par"])
def test_ca_04_a_secret_that_signs_is_never_sent(signer, endpoint):
    for headers, form in (
        (signer.basic(), {}),
        ({}, {"client_id": "signer", "client_secret": signer.secret}),
        ({}, {"client_id": "signer"}),
    ):
        assert_401(
            signer.call(
                endpoint, headers=headers, token="x", grant_type="client_credentials", **form
            )
        )


def test_ca_04_a_client_that_sends_its_secret_may_not_sign_with_it(rp, sign):
    assert_401(call(rp, {}, **sign(SECRET, client_id="rp")))


@pytest.mark.parametrize("audience", [ORIGIN + "/token", [ORIGIN], "https://evil.example"])
def test_ca_06_the_audience_is_our_issuer(signer, sign, audience):
    assert_401(call(signer, {}, **sign(signer.secret, aud=audience)))


def test_ca_06_the_token_endpoint_only_where_it_was_switched_on(register, sign):
    service = register(kosodate_accepts_token_endpoint_audience=True)
    assert call(service, {}, **sign(service.secret, aud=ORIGIN + "/token")).status == 200


def test_jw_02_hashes_and_keys_are_never_taken_for_each_other(register, sign):
    service = register(jwks={"keys": [KEY.as_dict(private=False)]})
    assert_401(call(service, {}, **sign(KEY, alg="ES256")))
    assert_401(call(service, {}, **sign(service.secret + "x" * 64, alg="HS512")))
    assert call(service, {}, **sign(service.secret)).status == 200


def test_ca_09_both_secrets_sign_during_a_rotation(signer, sign, sessions, keys, clock, later):
    later(minutes=1)
    with transaction(sessions) as db:
        new = rotate_secret(db, "signer", actor=SYSTEM, keys=keys, now=clock()).secret
    assert call(signer, {}, **sign(signer.secret, jti="1")).status == 200
    assert call(signer, {}, **sign(new, jti="2")).status == 200
    later(days=7)
    assert_401(call(signer, {}, **sign(signer.secret, jti="3")))
    assert call(signer, {}, **sign(new, jti="4")).status == 200


@pytest.fixture
def registrar(app, world, sessions, clock):
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], http=Elsewhere())
    return Registrar(app, make_token(sessions, clock))


def test_oidcc_server_client_secret_jwt_a_service_registers_for_it(app, registrar, sign):
    answer = registrar.post(token_endpoint_auth_method="client_secret_jwt")
    made = Registered(registrar, answer)
    assert made.body["token_endpoint_auth_method"] == "client_secret_jwt"
    service = Service(app, made.client_id, None)
    form = sign(made.body["client_secret"], client_id=made.client_id)
    assert call(service, {}, **form).status == 200


def test_a_service_that_begins_to_sign_is_told_a_new_secret(app, registrar, sign, later):
    made = Registered(registrar, registrar.post())
    later(minutes=1)
    answer = made.put(token_endpoint_auth_method="client_secret_jwt").get_json(force=True)
    assert answer["client_secret"] != made.body["client_secret"]
    service = Service(app, made.client_id, None)
    form = sign(made.body["client_secret"], client_id=made.client_id)
    assert_401(call(service, {}, **form))
    form = sign(answer["client_secret"], client_id=made.client_id)
    assert call(service, {}, **form).status == 200
    assert_401(call(service, basic(f"{made.client_id}:{answer['client_secret']}".encode())))


@pytest.mark.parametrize(
    "metadata",
    [
        {"token_endpoint_auth_signing_alg": "ES256"},
        {"token_endpoint_auth_signing_alg": "HS512"},
        {"kosodate_profile": "fapi2"},
    ],
)
def test_fapi2_a_secret_signs_by_hs256_and_never_for_a_fapi_client(registrar, metadata):
    answer = registrar.post(token_endpoint_auth_method="client_secret_jwt", **metadata)
    assert answer.status_code == 400
    assert answer.get_json(force=True)["error"] == "invalid_client_metadata"
