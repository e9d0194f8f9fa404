"""ID tokens over HTTP, signed by the algorithm each client is registered for (OIDC Core §2)."""

import hashlib

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from idp.base.secret import from_base64url, to_base64url
from idp.db.session import transaction
from idp.domain.grants.jose import REGISTRIES
from idp.domain.grants.key_rotation import ensure_keys
from idp.protocol.jwk import ID_TOKEN_ALGORITHMS
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import SECRET, Service, secret_row

#: The hash beside each signature, and how many bytes half of it has.
HASHES = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "EdDSA": "sha512"}


@pytest.fixture
def service(app, world, sessions, keys, town, clock):
    """Make a service that wants its ID tokens signed by an algorithm."""

    def run(alg):
        with transaction(sessions) as db:
            ensure_keys(db, keys=keys, now=clock())
            factories.make_client(
                db,
                now=clock(),
                client_id=alg,
                municipality_id=town.id,
                sector="municipality:990001",
                details={"id_token_signed_response_alg": alg},
            )
            db.add(secret_row(alg, SECRET, now=clock()))
        return Service(app, alg)

    return run


def half_hash(text, alg):
    whole = hashlib.new(HASHES[alg], text.encode()).digest()
    return to_base64url(whole[: len(whole) // 2])


@pytest.mark.parametrize("alg", ID_TOKEN_ALGORITHMS)
def test_oidcc_idtoken_signature_is_by_the_registered_algorithm(service, browser, session_id, alg):
    client = service(alg)
    tokens = client.sign_in(browser, state="st-1")
    published = KeySet.import_key_set(client.http.get("/jwks", base_url=ORIGIN).get_json())
    header = jws.extract_compact(tokens.id_token.encode()).headers()
    assert header["alg"] == alg
    assert [key.get("alg") for key in published if key.kid == header["kid"]] == [alg]
    claims = jwt.decode(tokens.id_token, published, registry=REGISTRIES[alg]).claims
    assert claims["aud"] == alg
    assert claims["at_hash"] == half_hash(tokens.access_token, alg)
    assert claims["s_hash"] == half_hash("st-1", alg)


def test_kt_02_every_published_key_is_strong_named_once_and_public(
    rp, sessions, keys, clock, later
):
    with transaction(sessions) as db:
        ensure_keys(db, keys=keys, now=clock())
    later(seconds=30)
    published = rp.http.get("/jwks", base_url=ORIGIN).get_json()["keys"]
    assert {key["alg"] for key in published} == set(ID_TOKEN_ALGORITHMS)
    assert len({key["kid"] for key in published}) == len(published)
    for key in published:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        if key["kty"] == "RSA":
            # House decision of the catalogue: 2048 bits at least.
            assert int.from_bytes(from_base64url(key["n"])).bit_length() >= 2048
        else:
            assert key["crv"] in ("P-256", "Ed25519")


def test_s_hash_goes_with_the_state_of_the_request_alone(rp, browser, session_id):
    without = rp.sign_in(browser, state=None)
    assert "s_hash" not in without.claims()
    tokens = rp.sign_in(browser)
    assert len(from_base64url(tokens.claims()["s_hash"])) == 16
    assert "s_hash" not in rp.refresh(tokens.refresh_token).claims()
