"""npm's openid-client, unmodified, as FAPI 2.0 asks (PAR, JAR, JARM, DPoP), and as a device."""

import pytest

from idp.base.clock import utc_now
from idp.base.secret import from_base64url
from idp.db.session import transaction
from idp.domain.grants.key_rotation import ensure_keys
from idp.protocol.jwk import ID_TOKEN_ALGORITHMS
from tests.interop.libraries import Library

pytestmark = pytest.mark.interop

FAPI = {
    "kosodate_profile": "fapi2",
    "id_token_signed_response_alg": "ES256",
    "authorization_signed_response_alg": "ES256",
    "request_object_signing_alg": "ES256",
}


@pytest.fixture
def library():
    library = Library("signed_party.mjs")
    yield library
    library.close()


@pytest.fixture
def connect(provider, library):
    """Register the library with some metadata and tell it what to use."""

    def connect(*features, **details):
        method = "none" if "public" in features else "private_key_jwt"
        registered = {
            "redirect_uris": [f"{library.origin}/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": method,
            "jwks": library.facts["jwks"],
            **details,
        }
        provider.register("signed-party", **registered)
        known = ("id_token_signed_response_alg", "authorization_signed_response_alg")
        library.configure(
            issuer=provider.issuer,
            client_id="signed-party",
            features=features,
            metadata={name: details[name] for name in known if name in details},
        )

    return connect


def sign_in(provider, library, person, query="scope=openid profile"):
    person.open(f"{library.origin}/login?{query}")
    if person.path == "/login":
        provider.sign_in(person)
    if person.path == "/consent":
        person.submit("/consent", decision="allow")
    answer = person.page.json()
    assert "error" not in answer, answer
    return answer


@pytest.mark.parametrize(
    "features",
    [("par",), ("jar",), ("jarm",), ("dpop",), ("par", "dpop"), ("par", "jar", "jarm", "dpop")],
    ids="-".join,
)
def test_openid_client_signs_in_with_each_of_the_signed_ways(
    provider, library, person, connect, features
):
    connect(*features)
    answer = sign_in(provider, library, person)
    assert answer["claims"]["iss"] == provider.issuer
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"]
    assert answer["token_type"] == ("dpop" if "dpop" in features else "bearer")
    if "jarm" in features:
        assert answer["parameters"] == ["response"]


@pytest.mark.parametrize("alg", ID_TOKEN_ALGORITHMS)
def test_openid_client_verifies_an_id_token_by_every_algorithm(
    provider, library, person, connect, alg
):
    with transaction(provider.sessions) as db:
        ensure_keys(db, keys=provider.keys, now=utc_now())
    # The library checks the signature with the keys it fetches, and takes no other algorithm.
    connect("jarm", id_token_signed_response_alg=alg, authorization_signed_response_alg=alg)
    answer = sign_in(provider, library, person)
    assert answer["id_token_header"]["alg"] == alg
    assert answer["claims"]["sub"] == answer["userinfo"]["sub"]
    assert len(from_base64url(answer["claims"]["s_hash"])) == (32 if alg == "EdDSA" else 16)


def test_openid_client_passes_the_checks_of_fapi_2_0(provider, library, person, connect):
    connect("par", "jar", "jarm", "dpop", **FAPI)
    query = "scope=openid profile offline_access&prompt=consent"
    answer = sign_in(provider, library, person, query)
    assert answer["token_type"] == "dpop"
    renewed = person.open(f"{library.origin}/refresh").page.json()
    assert renewed["claims"]["sub"] == answer["claims"]["sub"]
    # FAPI 2.0 Security Profile 5.3.2.1-9: a confidential client keeps its refresh token.
    assert not renewed["refresh_token_is_new"]


def test_openid_client_of_a_television_signs_in_on_the_phone(provider, library, person, connect):
    connect("public", grant_types=["urn:ietf:params:oauth:grant-type:device_code"])
    started = person.open(f"{library.origin}/device?scope=openid profile").page.json()
    person.open(started["verification_uri_complete"])
    person.submit("/device")
    provider.sign_in(person)
    person.submit("/device", decision="allow")
    answer = person.open(f"{library.origin}/poll").page.json()
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"]
