"""Client metadata of FAPI 2.0, JAR, JARM, PAR, DPoP, RAR, encryption and events."""

import pytest

from idp.protocol.addresses import AddressRules
from idp.protocol.client import Encryption
from idp.protocol.export import write_metadata
from idp.protocol.registration import MetadataError, parse_metadata

STRICT = AddressRules()
EC = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "B" * 43, "kid": "one"}
KEYS = {"keys": [EC]}
DOCUMENT = {"client_name": "書庫", "redirect_uris": ["https://rp.example/cb"]}
FAPI = DOCUMENT | {
    "kosodate_profile": "fapi2",
    "token_endpoint_auth_method": "private_key_jwt",
    "id_token_signed_response_alg": "ES256",
    "jwks": KEYS,
}
EVERYTHING = FAPI | {
    "sector_identifier_uri": "https://rp.example/sector.json",
    "request_uris": ["https://rp.example/request.jwt#x"],
    "request_object_signing_alg": "ES256",
    "require_signed_request_object": True,
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
    "authorization_signed_response_alg": "PS256",
    "userinfo_signed_response_alg": "EdDSA",
    "userinfo_encrypted_response_alg": "RSA-OAEP-256",
    "userinfo_encrypted_response_enc": "A256GCM",
    "id_token_encrypted_response_alg": "ECDH-ES",
    "introspection_signed_response_alg": "ES256",
    "authorization_details_types": ["kosodate_delegation"],
    "frontchannel_logout_uri": "https://rp.example/front",
    "frontchannel_logout_session_required": True,
    "kosodate_resources": ["https://api.example/records"],
    "kosodate_audiences": ["https://rp.example/api"],
    "kosodate_event_endpoint": "https://rp.example/events",
    "kosodate_events": ["account.closed", "documents.changed"],
}


def read(document):
    """Return the metadata of a document."""
    return parse_metadata(document, rules=STRICT)


def faults(document):
    """Return the faults of a document, by field."""
    with pytest.raises(MetadataError) as caught:
        read(document)
    return {fault.field: fault.reason for fault in caught.value.faults}


def test_everything_that_is_written_is_read_again():
    metadata = read(EVERYTHING)
    assert read(write_metadata(metadata)) == metadata
    assert metadata.userinfo_encryption == Encryption("RSA-OAEP-256", "A256GCM")
    # OIDC Registration §2: the content algorithm of encryption has a default.
    assert metadata.id_token_encryption == Encryption("ECDH-ES", "A128CBC-HS256")


def test_an_ordinary_client_is_held_to_nothing_of_fapi():
    metadata = read(DOCUMENT)
    assert not metadata.is_fapi
    assert not metadata.needs_pushed_request
    assert not metadata.needs_dpop


def test_the_fapi_profile_is_one_setting_that_demands_par_and_dpop():
    metadata = read(FAPI)
    assert metadata.is_fapi
    assert metadata.needs_pushed_request
    assert metadata.needs_dpop
    assert metadata.needs_pkce


def test_nothing_is_signed_with_rs256_for_a_fapi_client_unless_it_says_so():
    usual = read({name: value for name, value in FAPI.items() if "response_alg" not in name})
    assert (usual.id_token_signed_response_alg, usual.response_alg) == ("ES256", "ES256")
    ordinary = read(DOCUMENT)
    assert (ordinary.id_token_signed_response_alg, ordinary.response_alg) == ("RS256", "RS256")
    named = read({**DOCUMENT, "authorization_signed_response_alg": "PS256"})
    assert named.response_alg == "PS256"


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        (
            {"token_endpoint_auth_method": "client_secret_basic"},
            "token_endpoint_auth_method",
            "fapi_needs_private_key_jwt",
        ),
        (
            {"token_endpoint_auth_method": "client_secret_jwt"},
            "token_endpoint_auth_method",
            "fapi_needs_private_key_jwt",
        ),
        (
            {"token_endpoint_auth_signing_alg": "HS256"},
            "token_endpoint_auth_signing_alg",
            "fapi_algorithm",
        ),
        (
            {"kosodate_accepts_token_endpoint_audience": True},
            "kosodate_accepts_token_endpoint_audience",
            "fapi_audience",
        ),
        ({"kosodate_require_pkce": False}, "kosodate_require_pkce", "pkce_needed"),
        (
            {"id_token_signed_response_alg": "RS256"},
            "id_token_signed_response_alg",
            "fapi_algorithm",
        ),
        (
            {"token_endpoint_auth_signing_alg": "RS256"},
            "token_endpoint_auth_signing_alg",
            "fapi_algorithm",
        ),
        ({"request_object_signing_alg": "RS256"}, "request_object_signing_alg", "fapi_algorithm"),
        (
            {"authorization_signed_response_alg": "RS256"},
            "authorization_signed_response_alg",
            "fapi_algorithm",
        ),
        (
            {"userinfo_signed_response_alg": "RS256"},
            "userinfo_signed_response_alg",
            "fapi_algorithm",
        ),
        (
            {"introspection_signed_response_alg": "RS256"},
            "introspection_signed_response_alg",
            "fapi_algorithm",
        ),
        ({"kosodate_profile": "fapi1"}, "kosodate_profile", "unsupported"),
        ({"jwks_uri": "https://rp.example/keys"}, "jwks_uri", "keys_twice"),
        ({"jwks": None}, "jwks", "keys_needed"),
        ({"jwks": None, "jwks_uri": "https://10.0.0.1/keys"}, "jwks_uri", "uri_ip_literal"),
        ({"request_uris": ["http://rp.example/r"]}, "request_uris[0]", "uri_not_https"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg", "unsupported"),
        (
            {"userinfo_encrypted_response_enc": "A256GCM"},
            "userinfo_encrypted_response_enc",
            "alg_needed",
        ),
        (
            {"id_token_encrypted_response_alg": "RSA1_5"},
            "id_token_encrypted_response_alg",
            "unsupported",
        ),
        (
            {"authorization_details_types": ["payment"]},
            "authorization_details_types",
            "unsupported",
        ),
        ({"kosodate_events": ["account.closed"]}, "kosodate_event_endpoint", "needed"),
        (
            {"kosodate_events": ["x"], "kosodate_event_endpoint": "https://rp.example/e"},
            "kosodate_events",
            "unsupported",
        ),
        ({"kosodate_resources": ["https://api"]}, "kosodate_resources[0]", "uri_host"),
        (
            {"frontchannel_logout_uri": "http://rp.example/f"},
            "frontchannel_logout_uri",
            "uri_not_https",
        ),
        (
            {"frontchannel_logout_uri": "https://rp.example:8443/f"},
            "frontchannel_logout_uri",
            "frontchannel_origin",
        ),
        (
            {"frontchannel_logout_uri": "https://www.rp.example/f"},
            "frontchannel_logout_uri",
            "frontchannel_origin",
        ),
    ],
)
def test_every_fault_names_its_field(changes, field, reason):
    document = {name: value for name, value in (FAPI | changes).items() if value is not None}
    assert faults(document)[field] == reason


def test_keys_may_stand_at_an_address():
    document = FAPI | {"jwks_uri": "https://rp.example/keys"}
    del document["jwks"]
    assert read(document).jwks_uri == "https://rp.example/keys"
