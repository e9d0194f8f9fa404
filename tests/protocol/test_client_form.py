"""The form of a registration: what is typed becomes the document, and back."""

from dataclasses import MISSING, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from idp.protocol.addresses import AddressRules
from idp.protocol.client import ClientMetadata
from idp.protocol.client_fields import COMMON, FIELDS, WITHOUT_FIELD, Group, Kind
from idp.protocol.client_form import field_of, is_unusual, read_form, read_posted, write_form
from idp.protocol.document import MetadataFault
from idp.protocol.export import write_metadata
from idp.protocol.registration import MetadataError, parse_registration
from tests.protocol.test_registration import DOCUMENT

STRICT = AddressRules()
KEYS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "kid": "1"}]}
RP = "https://booking.example.jp"
#: Everything a document can say, in two: some members exclude each other.
FULL = DOCUMENT | {
    "client_name#fr": "Réservation",
    "kosodate_operator#fr": "Ville",
    "kosodate_description": "予約する",
    "kosodate_description#fr": "Réserver",
    "application_type": "native",
    "subject_type": "public",
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "EdDSA",
    "id_token_signed_response_alg": "PS256",
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A256GCM",
    "userinfo_signed_response_alg": "ES256",
    "userinfo_encrypted_response_alg": "ECDH-ES",
    "userinfo_encrypted_response_enc": "A128GCM",
    "introspection_signed_response_alg": "ES256",
    "authorization_signed_response_alg": "ES256",
    "request_object_signing_alg": "ES256",
    "request_uris": [f"{RP}/request.jwt#abc"],
    "require_signed_request_object": True,
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
    "default_max_age": 600,
    "default_acr_values": ["urn:kosodate:acr:mfa", "phr"],
    "contacts": ["ops@example.jp"],
    "client_uri": RP,
    "frontchannel_logout_uri": f"{RP}/out",
    "frontchannel_logout_session_required": True,
    "sector_identifier_uri": f"{RP}/uris",
    "authorization_details_types": ["kosodate_delegation"],
    "kosodate_resources": ["https://api.example.jp/"],
    "kosodate_audiences": [f"{RP}/api"],
    "kosodate_event_endpoint": f"{RP}/events",
    "kosodate_events": ["account.closed", "sessions.revoked"],
    "kosodate_cors_origins": [RP],
    "kosodate_require_pkce": False,
    "kosodate_accepts_token_endpoint_audience": True,
    "kosodate_response_modes": ["query", "jwt"],
    "kosodate_sector": "host:booking.example.jp",
    "kosodate_may_notify": True,
    "jwks": KEYS,
}
FAPI = DOCUMENT | {
    "kosodate_profile": "fapi2",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks_uri": f"{RP}/keys",
}


def metadata_of(document):
    return parse_registration(document, rules=STRICT).metadata


def differs(metadata, attribute):
    usual = attribute.default if attribute.default is not MISSING else attribute.default_factory()
    return getattr(metadata, attribute.name) != usual


def test_no_member_of_a_document_is_forgotten_on_the_form():
    """A new attribute fails here until these documents hold it, and then until it has a field."""
    full, fapi = metadata_of(FULL), metadata_of(FAPI)
    forgotten = [
        each.name
        for each in fields(ClientMetadata)
        if not differs(full, each) and not differs(fapi, each)
    ]
    assert forgotten == []
    written = {*FULL, *FAPI, *write_metadata(full), *write_metadata(fapi)}
    shown = {field.member for field in FIELDS}
    assert {name for name in written if "#fr" not in name} - shown == WITHOUT_FIELD - {
        "client_secret"
    }
    assert shown <= written | {"kosodate_operator#en", "kosodate_description#en"}


@pytest.mark.parametrize("document", [DOCUMENT, FULL, FAPI], ids=["usual", "full", "fapi"])
def test_a_document_survives_the_form(document):
    again = read_form(write_form(document), known=document)
    before = parse_registration(document, rules=STRICT)
    after = parse_registration(again, rules=STRICT)
    assert after == before


def test_a_program_without_people_gets_no_scope_of_theirs_by_the_form():
    program = DOCUMENT | {"grant_types": ["client_credentials"], "scope": "notices"}
    assert read_form(write_form(program), known=program)["scope"] == "notices"


def test_an_empty_form_is_what_a_new_service_has():
    usual = metadata_of({"client_name": "x", "redirect_uris": [f"{RP}/"]})
    values = write_form({}) | {"name_ja": "x", "redirect_uris": f"{RP}/"}
    assert metadata_of(read_form(values, known={})) == usual
    assert not any(is_unusual(group, write_form({})) for group in Group)


def test_a_part_that_holds_something_is_open():
    assert [group for group in Group if is_unusual(group, write_form(FULL))] == list(Group)
    open_parts = {group for group in Group if is_unusual(group, write_form(FAPI))}
    assert open_parts - set(COMMON) == {Group.LOOK, Group.LOGOUT, Group.KEYS}


def test_fapi2_is_switched_on_by_one_setting():
    ready = DOCUMENT | {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS}
    known = {"client_id": "care-booking"} | write_metadata(metadata_of(ready))
    assert known["id_token_signed_response_alg"] == "RS256"
    metadata = metadata_of(read_form(write_form(known) | {"profile": "fapi2"}, known=known))
    assert metadata.is_fapi
    assert metadata.id_token_signed_response_alg == "ES256"


def test_full_width_signs_count_and_names_stay_as_typed():
    typed = {
        "name_ja": "ＡＢＣ",
        "client_id": "ｃａｒｅ－１",
        "default_max_age": "３６００",
        "redirect_uris": "ｈｔｔｐｓ：／／booking.example.jp／callback\n　\n",
    }
    document = read_form(typed, known={})
    assert document["client_name"] == "ＡＢＣ"
    assert document["client_id"] == "care-1"
    assert document["default_max_age"] == 3600
    assert document["redirect_uris"] == ["https://booking.example.jp/callback"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"default_max_age": "-1"}, "default_max_age"),
        ({"default_max_age": "1" * 5000}, "default_max_age"),
        ({"default_max_age": "²"}, "default_max_age"),
        ({"name_other": "Réservation"}, "name_other"),
        ({"name_other": "fr:"}, "name_other"),
        ({"description_other": "fr: a\nRéserver: b"}, "description_other"),
        ({"name_other": ": another name"}, "name_other"),
        ({"name_other": "fr: Garde\nfr: Réservation"}, "name_other"),
        ({"name_en": "Care booking", "name_other": "en: Child care"}, "name_en"),
        ({"jwks": '{"keys": [NaN]}'}, "jwks"),
        ({"jwks": '{"keys": ["\\u0000"]}'}, "jwks"),
        ({"jwks": '{"keys": ["\\ud800"]}'}, "jwks"),
        ({"jwks": "[" * 5000}, "jwks"),
        ({"grant_types": ""}, "grant_types"),
        ({"events": "account.closed"}, "event_endpoint"),
        ({"id_token_encrypted_response_enc": "A128GCM"}, "id_token_encrypted_response_enc"),
        ({"profile": "weak"}, "profile"),
        ({"contacts": "a\x07b"}, "contacts"),
    ],
)
def test_az_08_what_cannot_be_is_refused_at_its_field(typed, field):
    document = read_form(write_form(DOCUMENT) | typed, known={})
    with pytest.raises(MetadataError) as caught:
        parse_registration(document, rules=STRICT)
    assert {field_of(fault) for fault in caught.value.faults} == {field}


def test_an_emptied_field_takes_the_member_away():
    form = write_form(DOCUMENT) | {"tos_uri": " ", "redirect_uris": "\n", "scope": ""}
    again = read_form(form, known=DOCUMENT)
    assert "tos_uri" not in again
    assert again["redirect_uris"] == []
    assert again["scope"] == "openid"


def test_a_service_keeps_its_id_and_its_sector():
    known = DOCUMENT | {"kosodate_sector": "host:a"}
    again = read_form(write_form(known) | {"client_id": "x", "sector": "host:b"}, known=known)
    assert (again["client_id"], again["kosodate_sector"]) == ("care-booking", "host:a")


def test_every_fault_finds_its_field():
    assert field_of(MetadataFault("redirect_uris[2]", "x")) == "redirect_uris"
    assert field_of(MetadataFault("client_name#en", "x")) == "name_en"
    assert field_of(MetadataFault("client_name#fr", "x")) == "name_other"
    assert field_of(MetadataFault("token_endpoint_auth_method", "x")) == "auth_method"
    assert field_of(MetadataFault("response_types", "x")) == "grant_types"
    assert field_of(MetadataFault("client_secret", "x")) == ""


def test_boxes_are_read_together():
    form = MultiDict([("scope", "email"), ("scope", "phone"), ("name_ja", "a"), ("name_ja", "b")])
    values = read_posted(form)
    assert (values["scope"], values["name_ja"], values["jwks"]) == ("email phone", "a", "")


def test_fields_have_names_of_their_own_and_answers_where_they_need_them():
    names = [field.name for field in FIELDS]
    assert len(set(names)) == len(names)
    choosing = {Kind.CHOICE, Kind.CHOICES, Kind.SCOPE}
    assert all(bool(field.options) == (field.kind in choosing) for field in FIELDS)


@given(st.dictionaries(st.sampled_from([field.name for field in FIELDS]), st.text()))
def test_whatever_is_typed_is_registered_or_refused(typed):
    document = read_form(typed, known={})
    try:
        parse_registration(document, rules=STRICT)
    except MetadataError:
        return
