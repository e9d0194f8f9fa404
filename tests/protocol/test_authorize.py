"""The authorization request: where an answer may go, and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.authorize import resolve_client_id, resolve_reply_target
from idp.protocol.client import ApplicationType, AuthMethod, ResponseMode, SecurityProfile
from idp.protocol.errors import DisplayedError, RedirectedError
from idp.protocol.params import parse_params
from idp.protocol.request import build_request, from_json, to_json
from idp.protocol.responses import build_code_reply, build_error_reply
from tests.protocol.support import CALLBACK, CLIENT, REQUEST, client, params

NATIVE = client(
    application_type=ApplicationType.NATIVE,
    redirect_uris=("http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"),
)

NEAR_MISSES = [
    "https://rp.test/cb/",
    "https://rp.test/cb?",
    "https://rp.test/cb#",
    "https://rp.test/cb/x",
    "https://rp.test/cb?x=1",
    "https://RP.test/cb",
    "https://rp.test/CB",
    "https://rp.test:443/cb",
    "http://rp.test/cb",
    "https://rp.test@evil.tld/cb",
    "https://rp.test.evil.tld/cb",
    "https://rp.test/x/../cb",
    "https://rp.test/..;/cb",
    "https://rp.test/%2e%2e/cb",
    "https://rp.test/%252e%252e/cb",
    "https://rp.test\\@evil.tld/cb",
    "https://rp.test/\tcb",
    "https://rp.test/cb\r\n",
    " https://rp.test/cb",
    "https://[::1]/cb",
    "https://2130706433/cb",
    "https://a@b@rp.test/cb",
    "javascript:alert(1)",
    "//rp.test/cb",
]


def resolve(request, registered=CLIENT):
    return resolve_reply_target(request, registered)


def refused(request, registered=CLIENT):
    """Return the code of the error a request is answered with."""
    with pytest.raises(RedirectedError) as caught:
        build_request(request, registered, resolve(request, registered), hinted_subject=None)
    return caught.value.code


def test_a_good_request_passes():
    request = build_request(params(), CLIENT, resolve(params()), hinted_subject=None)
    assert (request.scope, request.nonce, request.target.state) == ("openid profile", "n-1", "xyz")


@pytest.mark.parametrize("uri", NEAR_MISSES)
def test_az_03_only_the_very_uri_that_was_registered_is_followed(uri):
    with pytest.raises(DisplayedError) as caught:
        resolve(params(redirect_uri=uri))
    assert caught.value.reason == "redirect_uri_unregistered"


@given(st.text())
def test_az_03_every_text_is_refused_or_is_the_registered_one(uri):
    try:
        target = resolve(params(redirect_uri=uri))
    except DisplayedError:
        assert uri != CALLBACK
    else:
        assert target.redirect_uri == uri == CALLBACK


def test_az_04_a_missing_redirect_uri_is_never_filled_in():
    with pytest.raises(DisplayedError, match="redirect_uri_missing"):
        resolve(params(redirect_uri=None))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_az_05_two_of_what_decides_where_to_go_are_shown_not_redirected(name):
    pairs = [*REQUEST.items(), (name, "https://evil.test/cb")]
    with pytest.raises(DisplayedError):
        resolve(parse_params(pairs)) if name == "redirect_uri" else resolve_client_id(
            parse_params(pairs)
        )


@pytest.mark.parametrize("name", sorted(set(REQUEST) - {"client_id", "redirect_uri"}))
def test_az_05_anything_else_that_stands_twice_is_an_error_for_the_client(name):
    assert refused(parse_params([*REQUEST.items(), (name, REQUEST[name])])) == "invalid_request"


@pytest.mark.parametrize("port", ["", ":1", ":8080", ":65535"])
def test_a_native_app_may_name_any_port_of_the_loopback(port):
    for host in ("127.0.0.1", "[::1]"):
        uri = f"http://{host}{port}/cb"
        assert resolve(params(redirect_uri=uri), NATIVE).redirect_uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:80@evil.test/cb",
        "http://user@127.0.0.1/cb",
        "http://127.0.0.1:8080/cb\n",
        "http://127.0.0.1.evil.test:80/cb",
        "https://127.0.0.1:8080/cb",
        "http://localhost:8080/cb",
        "http://127.0.0.1:123456/cb",
        "http://127.0.0.1:8080/other",
        "http://127.0.0.2:8080/cb",
    ],
)
def test_a_disguised_loopback_uri_is_refused(uri):
    with pytest.raises(DisplayedError):
        resolve(params(redirect_uri=uri), NATIVE)


def test_a_web_client_may_not_change_the_port():
    web = client(redirect_uris=("http://127.0.0.1:8001/cb",))
    with pytest.raises(DisplayedError):
        resolve(params(redirect_uri="http://127.0.0.1:8002/cb"), web)


@pytest.mark.parametrize(
    "response_type", ["token", "id_token", "code token", "none", "code code", "CODE"]
)
def test_az_06_only_the_code_flow_is_offered(response_type):
    assert refused(params(response_type=response_type)) == "unsupported_response_type"


def test_az_06_a_missing_response_type_is_malformed():
    assert refused(params(response_type=None)) == "invalid_request"
    assert refused(params(response_type="")) == "invalid_request"


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message", "jwt", "bogus"])
def test_az_07_a_mode_that_was_not_registered_is_refused_by_query(mode):
    plain = client(response_modes=frozenset({ResponseMode.QUERY}))
    request = params(response_mode=mode)
    assert refused(request, plain) == "invalid_request"
    assert resolve(request, plain).response_mode is ResponseMode.QUERY


def test_az_07_errors_travel_by_the_mode_that_was_asked_for():
    request = params(response_mode="form_post", response_type="token")
    assert refused(request) == "unsupported_response_type"
    assert resolve(request).response_mode is ResponseMode.FORM_POST


def test_az_09_a_state_too_long_is_an_error():
    assert refused(params(state="x" * 4097)) == "invalid_request"


@pytest.mark.parametrize("scope", ["openid address", "openid nothing", "openid profile "])
def test_az_14_a_scope_outside_the_registered_ones_is_refused(scope):
    registered = client(scopes=frozenset({"openid"}))
    assert refused(params(scope=scope), registered) == "invalid_scope"


@pytest.mark.parametrize(
    "scope",
    [None, "", "profile", 'openid "x"', "openid\nprofile", "openid " + "x" * 5000, "openid\\"],
)
def test_az_14_a_malformed_scope_is_refused(scope):
    assert refused(params(scope=scope)) == "invalid_scope"


def test_az_14_duplicate_scopes_count_once():
    request = params(scope="openid profile openid")
    built = build_request(request, CLIENT, resolve(request), hinted_subject=None)
    assert built.scope == "openid profile"


@pytest.mark.parametrize("method", [AuthMethod.NONE, AuthMethod.BASIC])
def test_pk_01_and_pk_02_every_client_needs_a_challenge(method):
    registered = client(token_endpoint_auth_method=method)
    request = params(code_challenge=None, code_challenge_method=None)
    assert refused(request, registered) == "invalid_request"


@pytest.mark.parametrize("method", ["plain", None, "s256", "S512"])
def test_pk_03_only_s256_is_a_method(method):
    assert refused(params(code_challenge_method=method)) == "invalid_request"


@pytest.mark.parametrize("challenge", ["x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "+"])
def test_pk_03_a_challenge_that_is_no_hash_is_refused(challenge):
    assert refused(params(code_challenge=challenge)) == "invalid_request"


def test_pk_05_a_stripped_challenge_is_refused_at_once():
    assert refused(params(code_challenge=None)) == "invalid_request"


def test_a_legacy_client_may_be_registered_without_pkce_but_never_a_public_one():
    request = params(code_challenge=None, code_challenge_method=None)
    legacy = client(require_pkce=False)
    built = build_request(request, legacy, resolve(request), hinted_subject=None)
    assert built.code_challenge is None
    public = client(require_pkce=False, token_endpoint_auth_method=AuthMethod.NONE)
    assert refused(request, public) == "invalid_request"


def test_sr_01_what_is_not_offered_is_named():
    assert refused(params(registration="{}")) == "registration_not_supported"


def test_az_13_none_stands_alone_and_unknown_values_are_ignored():
    assert refused(params(prompt="none login")) == "invalid_request"
    request = params(prompt="create login", display="<script>", ui_locales="../../etc se")
    built = build_request(request, CLIENT, resolve(request), hinted_subject=None)
    assert built.prompt == {"login"}
    assert built.ui_locales == ("../../etc", "se")


@pytest.mark.parametrize("max_age", ["-1", "1.5", "abc", "１", "1e3", "9" * 10])
def test_a_max_age_that_is_no_number_is_refused(max_age):
    assert refused(params(max_age=max_age)) == "invalid_request"


@pytest.mark.parametrize(("asked", "seconds"), [("0", 0), ("1", 1), (None, 600)])
def test_az_11_max_age_is_kept_and_a_client_may_have_its_own(asked, seconds):
    request, registered = params(max_age=asked), client(default_max_age=600)
    built = build_request(request, registered, resolve(request), hinted_subject=None)
    assert built.max_age == seconds


@pytest.mark.parametrize(
    "claims",
    ["{", "[]", '"x"', "null", '{"userinfo": []}', '{"userinfo": {"name": 1}}', "[" * 3000,
     '{"id_token": {"acr": {"values": "x"}}}', '{"id_token": {"sub": {"value": 5}}}'],
)  # fmt: skip
def test_malformed_claims_are_refused(claims):
    assert refused(params(claims=claims)) == "invalid_request"


def test_claims_of_scopes_the_client_may_not_have_are_left_out():
    request = params(
        scope="openid",
        claims='{"userinfo": {"name": {"essential": true}, "address": null, "iss": null}}',
    )
    built = build_request(request, CLIENT, resolve(request), hinted_subject=None)
    assert built.claims.userinfo == {"name"}
    assert built.consent_scope == "openid profile"


def test_b48_select_account_is_understood():
    request = params(prompt="select_account consent")
    built = build_request(request, CLIENT, resolve(request), hinted_subject=None)
    assert built.prompt == {"select_account", "consent"}


def test_a_stored_request_is_read_back_whole():
    request = params(
        prompt="login consent",
        max_age="60",
        acr_values="urn:kosodate:acr:mfa phr",
        claims='{"id_token": {"acr": {"essential": true, "values": ["phr"]}, "email": null}}',
        login_hint="guardian@example.jp",
        ui_locales="ja en",
        response_mode="form_post",
        state="<😀>",
    )
    built = build_request(request, CLIENT, resolve(request), hinted_subject="sub-1")
    stored = to_json(built, hinted_account_id=None)
    read = from_json(stored)
    assert read.acr_values == ("phr", "urn:kosodate:acr:mfa", "phr")
    assert (read.target, read.claims, read.hinted_subject) == (built.target, built.claims, "sub-1")
    assert (read.prompt, read.max_age, read.ui_locales) == (built.prompt, 60, ("ja", "en"))


def test_az_15_every_answer_names_the_issuer():
    target = resolve(params())
    code = build_code_reply(target, code="c", issuer="https://id.test")
    error = build_error_reply(
        target, RedirectedError("access_denied", "No."), issuer="https://id.test"
    )
    assert dict(code.params) == {"code": "c", "state": "xyz", "iss": "https://id.test"}
    assert dict(error.params) == {
        "error": "access_denied",
        "error_description": "No.",
        "state": "xyz",
        "iss": "https://id.test",
    }


def test_an_answer_without_a_state_has_none():
    target = resolve(params(state=None))
    assert "state" not in build_code_reply(target, code="c", issuer="https://id.test").params


@given(
    st.dictionaries(
        st.sampled_from([*REQUEST, "prompt", "max_age", "claims", "acr_values", "response_mode"]),
        st.text(),
    )
)
def test_every_request_is_shown_redirected_or_built(changes):
    request = params(**changes)
    try:
        target = resolve(request)
        built = build_request(request, CLIENT, target, hinted_subject=None)
    except DisplayedError:
        return
    except RedirectedError:
        return
    read = from_json(to_json(built, hinted_account_id=None))
    assert read.target == built.target
    assert read.scope == built.scope


def test_fapi2_redirect_uris_are_compared_letter_by_letter():
    uri = "http://127.0.0.1:49152/cb"
    assert resolve(params(redirect_uri=uri), NATIVE).redirect_uri == uri
    strict = replace(NATIVE, profile=SecurityProfile.FAPI2)
    assert resolve(params(redirect_uri="http://127.0.0.1/cb"), strict)
    with pytest.raises(DisplayedError):
        resolve(params(redirect_uri=uri), strict)


def test_fapi2_a_challenge_is_needed_whatever_was_registered():
    lax = client(require_pkce=False)
    without = params(code_challenge=None, code_challenge_method=None)
    assert build_request(without, lax, resolve(without, lax), hinted_subject=None)
    assert refused(without, replace(lax, profile=SecurityProfile.FAPI2)) == "invalid_request"


def test_a_signed_answer_is_stored_and_read_back():
    request = params(response_mode="jwt")
    built = build_request(request, CLIENT, resolve(request), hinted_subject=None)
    again = from_json(to_json(built, hinted_account_id=None))
    assert again.target == built.target
    assert again.target.signature.audience == "rp"
