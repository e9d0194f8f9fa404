"""The form of a registration: what is typed becomes the document, and back."""

from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.addresses import AddressRules
from idp.protocol.client_form import field_of, read_form, write_form
from idp.protocol.document import MetadataFault
from idp.protocol.export import write_metadata
from idp.protocol.registration import MetadataError, parse_registration
from tests.protocol.test_registration import DOCUMENT

STRICT = AddressRules()


def test_a_document_survives_the_form():
    form = write_form(DOCUMENT)
    again = read_form(form, ("profile", "household"), known=DOCUMENT)
    before = parse_registration(DOCUMENT, rules=STRICT)
    after = parse_registration(again, rules=STRICT)
    assert write_metadata(after.metadata) == write_metadata(before.metadata)
    assert (after.is_consented, after.municipality_code) == (True, "990001")


def test_what_the_form_does_not_show_stays():
    known = DOCUMENT | {"default_max_age": 600, "contacts": ["ops@example.jp"]}
    again = read_form(write_form(known), (), known=known)
    assert (again["default_max_age"], again["contacts"]) == (600, ["ops@example.jp"])


def test_an_emptied_field_takes_the_member_away():
    form = write_form(DOCUMENT) | {"tos_uri": " ", "redirect_uris": "\n"}
    again = read_form(form, (), known=DOCUMENT)
    assert "tos_uri" not in again
    assert again["redirect_uris"] == []
    assert again["scope"] == "openid"


def test_keys_are_read_as_json_and_refused_when_they_are_none():
    assert read_form({"jwks": '{"keys": []}'}, (), known={})["jwks"] == {"keys": []}
    for text in ("{", "[" * 5000):
        assert read_form({"jwks": text}, (), known={})["jwks"] == text


def test_every_fault_finds_its_field():
    assert field_of(MetadataFault("redirect_uris[2]", "x")) == "redirect_uris"
    assert field_of(MetadataFault("client_name#en", "x")) == "name_en"
    assert field_of(MetadataFault("token_endpoint_auth_method", "x")) == "auth_method"
    assert field_of(MetadataFault("kosodate_sector", "x")) == ""


@given(st.dictionaries(st.sampled_from([*write_form(DOCUMENT), "refresh", "jwks"]), st.text()))
def test_whatever_is_typed_is_registered_or_refused(typed):
    document = read_form(typed, ("profile",), known={})
    try:
        parse_registration(document, rules=STRICT)
    except MetadataError:
        return


def test_grants_that_the_form_does_not_show_stay():
    device = "urn:ietf:params:oauth:grant-type:device_code"
    known = DOCUMENT | {"grant_types": [device, "refresh_token"]}
    form = write_form(known)
    assert read_form(form, (), known=known)["grant_types"] == [device, "refresh_token"]
    form.pop("refresh")
    assert read_form(form, (), known=known)["grant_types"] == [device]
