"""Client metadata: what may be registered, and what is refused with its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.addresses import (
    AddressRules,
    find_origin_fault,
    find_redirect_fault,
    find_service_fault,
)
from idp.protocol.client import ApplicationType, AuthMethod, GrantType, ResponseMode
from idp.protocol.export import write_metadata
from idp.protocol.jwk import ASSERTION_ALGORITHMS
from idp.protocol.registration import MetadataError, parse_metadata, parse_registration

STRICT = AddressRules()
DEMO = AddressRules(allow_loopback_http=True)

DOCUMENT = {
    "client_id": "care-booking",
    "client_name": "一時あずかり予約",
    "client_name#en": "Care booking",
    "kosodate_operator": "架空市",
    "kosodate_glyph": "預",
    "redirect_uris": ["https://booking.example.jp/callback"],
    "post_logout_redirect_uris": ["https://booking.example.jp/"],
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "openid profile household",
    "backchannel_logout_uri": "https://booking.example.jp/backchannel",
    "backchannel_logout_session_required": True,
    "initiate_login_uri": "https://booking.example.jp/login",
    "logo_uri": "https://booking.example.jp/logo.svg",
    "policy_uri": "https://booking.example.jp/privacy",
    "tos_uri": "https://booking.example.jp/terms",
    "kosodate_municipality": "990001",
    "kosodate_consented": True,
}


def faults(rules=STRICT, **changes):
    """Return the faults of the document with some members changed, by field."""
    with pytest.raises(MetadataError) as caught:
        parse_registration(DOCUMENT | changes, rules=rules)
    return {fault.field: fault.reason for fault in caught.value.faults}


def test_a_whole_document_is_read():
    registration = parse_registration(DOCUMENT, rules=STRICT)
    metadata = registration.metadata
    assert (registration.client_id, registration.municipality_code) == ("care-booking", "990001")
    assert registration.is_consented
    assert metadata.names == {"": "一時あずかり予約", "en": "Care booking"}
    assert metadata.token_endpoint_auth_method is AuthMethod.BASIC
    assert metadata.grant_types == {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}
    assert metadata.response_modes == set(ResponseMode)
    assert metadata.require_pkce


def test_a30_terms_policy_and_operator_of_a_service_are_kept():
    metadata = parse_registration(DOCUMENT, rules=STRICT).metadata
    assert metadata.tos_uri == "https://booking.example.jp/terms"
    assert metadata.policy_uri == "https://booking.example.jp/privacy"
    assert metadata.operators == {"": "架空市"}


def test_what_is_written_is_read_again():
    metadata = parse_registration(DOCUMENT, rules=STRICT).metadata
    assert parse_metadata(write_metadata(metadata), rules=STRICT) == metadata


def test_zero_seconds_are_not_lost():
    metadata = parse_metadata(
        {"client_name": "x", "redirect_uris": ["https://a.example/"], "default_max_age": 0},
        rules=STRICT,
    )
    assert write_metadata(metadata)["default_max_age"] == 0


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("javascript:alert(1)", "uri_scheme"),
        ("javascript://h/%0aalert(1)", "uri_scheme"),
        ("data:text/html,x", "uri_scheme"),
        ("vbscript:x", "uri_scheme"),
        ("https://*.example.jp/cb", "uri_wildcard"),
        ("https://rp.example/cb*", "uri_wildcard"),
        ("https://rp.example/(a|b)", "uri_characters"),
        ("https://rp\\.example/cb", "uri_characters"),
        ("https://rp.example/cb#x", "uri_fragment"),
        ("https://user@rp.example/cb", "uri_userinfo"),
        ("https://user:pw@rp.example/cb", "uri_userinfo"),
        ("http://rp.example/cb", "uri_not_https"),
        ("http://127.0.0.1/cb", "uri_not_https"),
        ("https://127.0.0.1/cb", "uri_ip_literal"),
        ("https://[::1]/cb", "uri_ip_literal"),
        ("https://2130706433/cb", "uri_ip_literal"),
        ("https://0x7f.1/cb", "uri_ip_literal"),
        ("https://rp.example/" + "x" * 5_000, "uri_too_long"),
        ("https://xn--pple-43d.com/cb", "uri_mixed_script"),
        ("https://äpfel.example/cb", "uri_characters"),
        ("https://localhost/cb", "uri_host"),
        ("https://rp.example/a/../cb", "uri_dot_segment"),
        ("https://rp.example/%2e%2e/cb", "uri_dot_segment"),
        ("https://rp.example/a b", "uri_characters"),
        ("https:rp.example", "uri_host"),
        ("//rp.example/cb", "uri_scheme"),
        ("com.example.app:/cb", "uri_scheme"),
        ("https://rp.example:99999/cb", "url_shape"),
    ],
)
def test_az_08_an_address_that_could_be_misused_is_refused_by_field(uri, reason):
    assert faults(redirect_uris=[uri]) == {"redirect_uris[0]": reason}
    assert faults(post_logout_redirect_uris=[uri]) == {"post_logout_redirect_uris[0]": reason}


@pytest.mark.parametrize("name", ["redirect_uris", "post_logout_redirect_uris", "request_uris"])
@pytest.mark.parametrize("sign", ["\n", "\r", "\t", "\0", "\x7f"])
def test_az_08_an_address_with_a_control_character_is_refused_at_its_field(name, sign):
    assert set(faults(**{name: [f"https://rp.example/cb{sign}"]})) == {name}


@pytest.mark.parametrize(
    "uri",
    ["com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]/cb", "https://app.example/cb"],
)
def test_b13_a_native_app_may_have_its_own_scheme_and_the_loopback(uri):
    registration = parse_registration(
        DOCUMENT
        | {
            "application_type": "native",
            "redirect_uris": [uri],
            "token_endpoint_auth_method": "none",
        },
        rules=STRICT,
    )
    assert registration.metadata.application_type is ApplicationType.NATIVE
    assert registration.metadata.is_public


def test_az_08_localhost_by_name_is_no_loopback_for_an_app():
    changed = {"application_type": "native", "redirect_uris": ["http://localhost/cb"]}
    assert faults(**changed) == {"redirect_uris[0]": "uri_not_https"}


def test_the_demo_may_use_http_on_this_machine_only():
    uris = ["http://127.0.0.1:8001/callback", "http://localhost:8001/callback"]
    registration = parse_registration(DOCUMENT | {"redirect_uris": uris}, rules=DEMO)
    assert registration.metadata.redirect_uris == tuple(uris)
    assert find_redirect_fault("http://10.0.0.1/cb", is_native=False, rules=DEMO) == "uri_not_https"
    assert find_service_fault("http://127.0.0.1:8001/logout", rules=DEMO) is None


@pytest.mark.parametrize(
    "name",
    [
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
        "initiate_login_uri",
        "jwks_uri",
        "kosodate_event_endpoint",
        "logo_uri",
        "policy_uri",
        "sector_identifier_uri",
        "tos_uri",
    ],
)
@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1/x",
        "https://localhost./x",
        "https://localhost/x",
        "https://0.0.0.0/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/x",
        "https://[fd00::1]/x",
        "https://[fe80::1]/x",
        "https://10.1.2.3/x",
        "https://100.64.0.1/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://2130706433/x",
        "https://017700000001/x",
        "https://0x7f000001/x",
        "https://rp.example:22/x",
        "https://db.internal/x",
        "https://printer.local/x",
    ],
)
def test_sr_02_an_address_inside_is_refused_at_save(name, uri):
    assert list(faults(**{name: uri})) == [name]


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "gopher://rp.example/",
        "ftp://rp.example/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "https://user:pw@rp.example/",
        "http://rp.example/",
    ],
)
def test_sr_03_other_schemes_and_passwords_are_refused_at_save(uri):
    assert list(faults(backchannel_logout_uri=uri)) == ["backchannel_logout_uri"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_name": ""}, "client_name"),
        ({"client_name": "a\r\nBcc: x"}, "client_name"),
        ({"client_name#en": 5}, "client_name#en"),
        ({"client_name#<x>": "a"}, "client_name#<x>"),
        ({"client_name#": "another name"}, "client_name#"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": "https://rp.example/"}, "redirect_uris"),
        ({"redirect_uris": [5]}, "redirect_uris"),
        ({"redirect_uris": ["https://a.example/", "https://a.example/"]}, "redirect_uris"),
        ({"scope": "openid everything"}, "scope"),
        ({"scope": "profile"}, "scope"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"grant_types": ["implicit"]}, "grant_types"),
        ({"grant_types": ["refresh_token"]}, "grant_types"),
        ({"response_types": ["code", "token"]}, "response_types"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"default_max_age": True}, "default_max_age"),
        ({"backchannel_logout_session_required": "true"}, "backchannel_logout_session_required"),
        ({"kosodate_sector": "A B"}, "kosodate_sector"),
        ({"kosodate_cors_origins": ["https://spa.example/"]}, "kosodate_cors_origins[0]"),
        ({"client_secret": "short"}, "client_secret"),
        ({"redirect_uri": ["https://rp.example/"]}, "redirect_uri"),
        ({"default_acr_values": ["loa4"]}, "default_acr_values"),
        ({"kosodate_municipality": "12"}, "kosodate_municipality"),
    ],
)
def test_every_fault_names_its_field(changes, field):
    assert field in faults(**changes)


def test_a_public_client_needs_pkce_and_has_no_secret():
    found = faults(
        token_endpoint_auth_method="none",
        kosodate_require_pkce=False,
        client_secret="x" * 40,
        grant_types=["authorization_code", "client_credentials"],
    )
    assert set(found) == {"kosodate_require_pkce", "client_secret", "grant_types"}


RSA = {"kty": "RSA", "n": "u" * 342, "e": "AQAB", "kid": "1"}
EC = {"kty": "EC", "crv": "P-256", "x": "x" * 43, "y": "y" * 43}


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([], "keys_shape"),
        ([5], "keys_shape"),
        ([{"kty": "oct", "k": "x" * 43}], "keys_private"),
        ([EC | {"d": "x" * 43}], "keys_private"),
        ([RSA | {"n": "u" * 171}], "keys_short"),
        ([EC | {"crv": "secp256k1"}], "keys_curve"),
        ([{"kty": "other"}], "keys_kind"),
        ([RSA, EC | {"kid": "1"}], "keys_kid"),
        ([RSA | {"use": "tls"}], "keys_shape"),
    ],
)
def test_keys_that_are_private_short_or_strange_are_refused(keys, reason):
    assert faults(jwks={"keys": keys})["jwks"] == reason


def test_good_keys_are_kept():
    document = DOCUMENT | {
        "jwks": {"keys": [RSA, EC]},
        "token_endpoint_auth_method": "private_key_jwt",
    }
    assert parse_registration(document, rules=STRICT).metadata.jwks == {"keys": [RSA, EC]}


def test_jw_10_no_metadata_maps_an_attribute_to_a_protocol_claim():
    assert "kosodate_claims" in faults(kosodate_claims={"iss": "name"})


@pytest.mark.parametrize("origin", ["https://spa.example", "https://spa.example:8443"])
def test_an_origin_is_scheme_and_host(origin):
    assert find_origin_fault(origin, rules=STRICT) is None


@pytest.mark.parametrize("origin", ["https://spa.example/", "https://SPA.example", "null", "*"])
def test_what_is_no_origin_is_refused(origin):
    assert find_origin_fault(origin, rules=STRICT) is not None


def test_faults_in_redirect_uris_have_their_own_code():
    with pytest.raises(MetadataError) as caught:
        parse_registration(DOCUMENT | {"redirect_uris": ["https://a.example/#x"]}, rules=STRICT)
    assert caught.value.code == "invalid_redirect_uri"
    with pytest.raises(MetadataError) as caught:
        parse_registration(DOCUMENT | {"scope": "x"}, rules=STRICT)
    assert caught.value.code == "invalid_client_metadata"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*DOCUMENT, "jwks", "contacts"]) | st.text(), JSON))
def test_every_document_is_read_or_refused(changes):
    try:
        registration = parse_registration(DOCUMENT | changes, rules=STRICT)
    except MetadataError:
        return
    metadata = registration.metadata
    assert parse_metadata(write_metadata(metadata), rules=STRICT) == metadata


@given(st.text())
def test_every_address_is_judged_without_an_accident(text):
    find_redirect_fault(text, is_native=True, rules=STRICT)
    find_service_fault("https://" + text, rules=DEMO)
    find_origin_fault("https://" + text, rules=STRICT)


@pytest.mark.parametrize("alg", [None, "HS256"])
def test_a_client_may_sign_with_its_secret(alg):
    document = DOCUMENT | {"token_endpoint_auth_method": "client_secret_jwt"}
    if alg is not None:
        document |= {"token_endpoint_auth_signing_alg": alg}
    metadata = parse_registration(document, rules=STRICT).metadata
    assert metadata.signs_with_secret
    assert parse_metadata(write_metadata(metadata), rules=STRICT) == metadata


@pytest.mark.parametrize(
    ("method", "alg", "reason"),
    [
        *(("client_secret_jwt", alg, "alg_of_method") for alg in ASSERTION_ALGORITHMS),
        ("private_key_jwt", "HS256", "alg_of_method"),
        ("client_secret_basic", "HS256", "alg_of_method"),
        ("none", "HS256", "alg_of_method"),
        ("client_secret_jwt", "HS512", "unsupported"),
        ("client_secret_jwt", "none", "unsupported"),
    ],
)
def test_jw_02_a_secret_signs_by_hash_and_a_key_never_does(method, alg, reason):
    found = faults(
        token_endpoint_auth_method=method,
        token_endpoint_auth_signing_alg=alg,
        jwks={"keys": [RSA, EC]},
    )
    assert found["token_endpoint_auth_signing_alg"] == reason


@pytest.mark.parametrize(("length", "is_taken"), [(31, False), (32, True)])
def test_a_secret_is_as_long_as_the_hash_it_signs_with(length, is_taken):
    # RFC 7518 section 3.2: a key for HS256 has 256 bits or more.
    document = DOCUMENT | {
        "token_endpoint_auth_method": "client_secret_jwt",
        "client_secret": "s" * length,
    }
    if is_taken:
        assert parse_registration(document, rules=STRICT).client_secret == "s" * length
    else:
        assert faults(**document)["client_secret"] == "shape"
