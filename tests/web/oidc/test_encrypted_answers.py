"""Signed and encrypted answers over HTTP (OIDC Core §5.3.2, §10.2)."""

import json

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, RSAKey

from idp.base.secret import from_base64url
from idp.db.session import transaction
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import SECRET, Service, secret_row

KEYS = {
    "RSA-OAEP-256": RSAKey.generate_key(2048, {"kid": "enc", "use": "enc"}),
    "ECDH-ES+A128KW": ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"}),
}


@pytest.fixture
def make(app, world, sessions, clock):
    def run(**details):
        with transaction(sessions) as db:
            factories.make_client(
                db,
                now=clock(),
                client_id="private",
                sector="municipality:990001",
                details=details,
            )
            db.add(secret_row("private", SECRET, now=clock()))
        return Service(app, "private")

    return run


def claims_of(signed):
    return json.loads(from_base64url(signed.split(".")[1]))


def test_oidcc_userinfo_rs256(make, browser, session_id):
    service = make(userinfo_signed_response_alg="RS256")
    tokens = service.sign_in(browser)
    answer = service.userinfo(tokens.access_token).response
    assert answer.headers["Content-Type"] == "application/jwt"
    signed = answer.get_data(as_text=True)
    assert jws.extract_compact(signed.encode()).headers()["alg"] == "RS256"
    claims = claims_of(signed)
    assert (claims["iss"], claims["aud"]) == (ORIGIN, "private")
    assert claims["sub"] == tokens.claims()["sub"]


@pytest.mark.parametrize("alg", KEYS)
def test_what_is_encrypted_opens_with_the_clients_key_alone(make, browser, session_id, alg):
    key = KEYS[alg]
    service = make(
        jwks={"keys": [key.as_dict(private=False)]},
        id_token_encrypted_response_alg=alg,
        userinfo_encrypted_response_alg=alg,
        userinfo_encrypted_response_enc="A256GCM",
    )
    tokens = service.sign_in(browser)
    registry = jwe.JWERegistry(algorithms=[alg, "A128CBC-HS256", "A256GCM"])
    opened = jwe.decrypt_compact(tokens.id_token, key, registry=registry)
    assert opened.headers()["cty"] == "JWT"
    claims = claims_of(opened.plaintext.decode())
    assert claims["aud"] == "private"
    sealed = service.userinfo(tokens.access_token).response.get_data()
    person = claims_of(jwe.decrypt_compact(sealed, key, registry=registry).plaintext.decode())
    assert (person["sub"], person["aud"]) == (claims["sub"], "private")


def test_without_a_fitting_key_nothing_goes_out_in_clear(make, browser, session_id):
    service = make(
        jwks={"keys": [KEYS["RSA-OAEP-256"].as_dict(private=False)]},
        id_token_encrypted_response_alg="ECDH-ES",
    )
    assert service.redeem(service.code(browser)).error == (400, "invalid_request")


def test_rt_09_introspection_is_signed_for_whoever_asks_for_that(make, rp, browser, session_id):
    service = make(introspection_signed_response_alg="ES256")
    token = service.sign_in(browser).access_token
    accept = {"Accept": "application/token-introspection+jwt"}
    answer = service.call("/introspect", headers=service.basic() | accept, token=token).response
    assert answer.headers["Content-Type"] == accept["Accept"]
    signed = answer.get_data(as_text=True)
    header = jws.extract_compact(signed.encode()).headers()
    assert (header["typ"], header["alg"]) == ("token-introspection+jwt", "ES256")
    claims = claims_of(signed)
    assert (claims["iss"], claims["aud"]) == (ORIGIN, "private")
    assert claims["token_introspection"]["active"] is True
    foreign = rp.call("/introspect", headers=rp.basic() | accept, token=token).response
    inside = claims_of(foreign.get_data(as_text=True))["token_introspection"]
    assert inside == {"active": False}
    assert service.introspect(token)["active"] is True
