"""What is published: the metadata document, pairwise identifiers, claims by scope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.claims import (
    CLAIM_SCOPE,
    PROTOCOL_CLAIMS,
    SCOPE_CLAIMS,
    claims_of_scopes,
    is_shallow,
    parse_claims,
    scopes_of_claims,
    select_claims,
)
from idp.protocol.client import AuthMethod, pick_text
from idp.protocol.errors import RedirectedError
from idp.protocol.metadata import ProviderFacts, build_metadata
from idp.protocol.scope import SUPPORTED
from idp.protocol.subject import SubjectKind, derive_session, derive_subject

ISSUER = "https://id.test"
DOCUMENT = build_metadata(ProviderFacts(ISSUER, ("ES256", "RS256"), ("ja", "en")))


def test_pk_08_s256_is_the_only_method():
    assert DOCUMENT["code_challenge_methods_supported"] == ["S256"]


def test_az_15_the_document_says_that_answers_name_the_issuer():
    assert DOCUMENT["authorization_response_iss_parameter_supported"] is True
    assert DOCUMENT["issuer"] == ISSUER


def test_sr_01_the_document_says_that_request_uris_have_to_be_registered():
    assert DOCUMENT["request_uri_parameter_supported"] is True
    assert DOCUMENT["require_request_uri_registration"] is True


def test_jw_01_request_objects_are_never_unsigned():
    assert DOCUMENT["request_parameter_supported"] is True
    assert "none" not in DOCUMENT["request_object_signing_alg_values_supported"]


def test_kt_05_every_address_comes_from_the_configured_issuer():
    addresses = [value for name, value in DOCUMENT.items() if name.endswith(("endpoint", "_uri"))]
    assert addresses
    assert all(address.startswith(ISSUER + "/") for address in addresses)


def test_only_the_code_flow_is_published():
    assert DOCUMENT["response_types_supported"] == ["code"]
    assert "implicit" not in DOCUMENT["grant_types_supported"]
    assert "password" not in DOCUMENT["grant_types_supported"]


def test_rs256_is_always_there():
    assert "RS256" in DOCUMENT["id_token_signing_alg_values_supported"]


def test_a29_terms_and_policy_can_be_read_at_any_time():
    assert DOCUMENT["op_tos_uri"] == f"{ISSUER}/documents/terms"
    assert DOCUMENT["op_policy_uri"] == f"{ISSUER}/documents/privacy"


def test_fapi2_discovery_end_point_verification_of_methods_and_algorithms():
    fapi = {"PS256", "ES256", "EdDSA"}
    assert set(DOCUMENT["dpop_signing_alg_values_supported"]) == fapi
    assert fapi < set(DOCUMENT["token_endpoint_auth_signing_alg_values_supported"])
    assert "private_key_jwt" in DOCUMENT["token_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspection"])
def test_every_method_that_can_be_registered_is_published_with_its_algorithms(endpoint):
    methods = {method.value for method in AuthMethod}
    without = {"none"} if endpoint == "introspection" else set()
    assert set(DOCUMENT[f"{endpoint}_endpoint_auth_methods_supported"]) == methods - without
    algorithms = DOCUMENT[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
    assert set(algorithms) == {"PS256", "ES256", "EdDSA", "RS256", "HS256"}


def test_introspection_is_not_for_public_clients():
    assert "none" not in DOCUMENT["introspection_endpoint_auth_methods_supported"]
    assert "none" in DOCUMENT["token_endpoint_auth_methods_supported"]


def test_what_we_refuse_to_collect_is_not_offered():
    for name in ("gender", "website", "birthdate", "picture", "nickname"):
        assert name not in DOCUMENT["claims_supported"]


def test_every_claim_belongs_to_a_scope_of_ours():
    assert set(SCOPE_CLAIMS) <= set(SUPPORTED)
    assert not set(CLAIM_SCOPE) & PROTOCOL_CLAIMS


@given(st.uuids(), st.uuids())
def test_identifiers_of_two_sectors_have_nothing_in_common(one, other):
    def derive(entity, sector="a", kind=SubjectKind.PERSON, key=b"k" * 32):
        return derive_subject(key, kind, sector=sector, entity_id=entity)

    assert derive(one) == derive(one)
    assert len(derive(one)) == 43
    assert derive(one) != derive(one, sector="b")
    assert derive(one) != derive(one, kind=SubjectKind.HOUSEHOLD)
    assert derive(one) != derive(one, key=b"l" * 32)
    assert (derive(one) == derive(other)) == (one == other)


@given(st.uuids())
def test_every_client_has_its_own_name_for_a_session(session_id):
    key = b"k" * 32
    here = derive_session(key, client_id="a", session_id=session_id)
    assert here != derive_session(key, client_id="b", session_id=session_id)


def test_claims_are_given_by_scope():
    assert claims_of_scopes(["openid", "email"]) == {"email", "email_verified"}
    assert scopes_of_claims(["email", "name", "unknown"]) == {"email", "profile"}


def test_only_what_is_asked_allowed_and_known_is_given():
    facts = {"name": "佐倉 美咲", "email": "a@example.jp", "locale": "", "address": {}, "iss": "x"}
    wanted = ["name", "email", "locale", "address", "iss", "phone_number"]
    given = select_claims(facts, wanted, allowed_scopes=["profile", "address", "phone"])
    assert given == {"name": "佐倉 美咲"}


def test_false_is_a_value():
    given = select_claims({"email_verified": False}, ["email_verified"], allowed_scopes=["email"])
    assert given == {"email_verified": False}


@given(st.text())
def test_every_claims_parameter_is_read_or_refused(text):
    try:
        parse_claims(text)
    except RedirectedError as error:
        if error.code != "invalid_request":
            raise


@pytest.mark.parametrize(
    ("text", "expected"), [("[" * 6, True), ("[" * 7, False), ("[]" * 99, True)]
)
def test_jw_06_depth_is_looked_at_before_parsing(text, expected):
    assert is_shallow(text) is expected


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "Care"), ("ja-simple", "あずかり"), ("fr", "plain")]
)
def test_a_text_is_picked_by_language(language, expected):
    assert pick_text({"": "plain", "en": "Care", "ja": "あずかり"}, language) == expected
    assert pick_text({}, language) is None
