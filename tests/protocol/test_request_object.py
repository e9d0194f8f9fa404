"""Request objects: what their claims must say, and what is taken out of them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.client import SecurityProfile
from idp.protocol.errors import RedirectedError
from idp.protocol.request_object import allowed_algorithms, read_request_object
from tests.protocol.support import CLIENT, REQUEST, client

ISSUER = "https://id.test"
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MOMENT = int(NOW.timestamp())
FAPI = client(profile=SecurityProfile.FAPI2)
SIGNED = client(require_signed_request_object=True)
TIMES = {"nbf": MOMENT - 5, "exp": MOMENT + 60}
#: Each is wrong at a client that must sign; the name is the module that sends it.
STRICT_FAULTS = {
    "without-exp-fails": {"exp": None},
    "without-nbf-fails": {"nbf": None},
    "expired": {"exp": MOMENT - 300, "nbf": MOMENT - 600},
    "exp-over-60-fails": {"exp": MOMENT + 70 * 60},
    "nbf-over-60-fails": {"nbf": MOMENT - 70 * 60},
    "nbf-in-the-future": {"nbf": MOMENT + 61, "exp": MOMENT + 120},
}
#: Each is wrong at every client.
FAULTS = {
    "bad-aud-fails": {"aud": "https://other.test"},
    "aud-missing": {"aud": None},
    "aud-with-slash": {"aud": ISSUER + "/"},
    "aud-nested": {"aud": [[ISSUER]]},
    "iss-missing": {"iss": None},
    "iss-other-client": {"iss": "other"},
    "client-id-missing": {"client_id": None},
    "client-id-other": {"client_id": "other"},
    "request-uri-inside": {"request_uri": "https://rp.test/r"},
    "request-inside": {"request": "a.b.c"},
    "exp-text": {"exp": str(MOMENT + 60)},
    "exp-flag": {"exp": True},
    "nbf-text": {"nbf": "x"},
    "number": {"response_type": 5},
    "list": {"scope": ["openid"]},
    "object": {"state": {"a": 1}},
    "flag": {"max_age": True},
    "fraction": {"max_age": 1.5},
    "null": {"nonce": None, "state": [None]},
    "resource": {"resource": ["https://a.test", 5]},
}


def claims(**changes):
    values = {**REQUEST, "iss": CLIENT.client_id, "aud": ISSUER, **TIMES, **changes}
    return {name: value for name, value in values.items() if value is not None}


def read(found, registered=CLIENT, **header):
    return read_request_object(header, found, registered, issuer=ISSUER, now=NOW)


def refusal(found, registered=CLIENT, **header):
    with pytest.raises(RedirectedError) as caught:
        read(found, registered, **header)
    return caught.value.code


def test_what_stands_in_the_object_counts():
    params = read(claims(jti="1", iat=MOMENT, sub="x"))
    assert dict(params.values) == REQUEST


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("registered", [CLIENT, FAPI], ids=["openid", "fapi2"])
def test_fapi2_message_signing_ensure_request_object_with(name, registered):
    assert refusal(claims(**FAULTS[name]), registered) == "invalid_request_object"


@pytest.mark.parametrize("name", STRICT_FAULTS)
@pytest.mark.parametrize("registered", [SIGNED, FAPI], ids=["signed", "fapi2"])
def test_fapi2_message_signing_ensure_request_object_times(name, registered):
    assert refusal(claims(**STRICT_FAULTS[name]), registered) == "invalid_request_object"


def test_oidcc_request_objects_of_other_clients_need_no_times():
    assert read(claims(exp=None, nbf=None)).values["state"] == "xyz"
    assert refusal(claims(exp=MOMENT - 60)) == "invalid_request_object"
    assert refusal(claims(nbf=MOMENT + 61)) == "invalid_request_object"


@pytest.mark.parametrize("registered", [CLIENT, SIGNED, FAPI])
def test_fapi2_message_signing_nbf_8_seconds_in_the_future_is_accepted(registered):
    assert read(claims(nbf=MOMENT + 8), registered)


def test_fapi2_message_signing_ensure_server_accepts_request_object_with_multiple_aud():
    assert read(claims(aud=["https://other.test", ISSUER]), FAPI)


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "JWT", "application/OAuth-Authz-Req+JWT"])
def test_rule_a_type_of_requests_is_taken(typ):
    assert read(claims(), typ=typ)


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "logout+jwt", "", 5, None])
def test_jw_07_another_kind_of_token_is_no_request(typ):
    assert refusal(claims(), typ=typ) == "invalid_request_object"


def test_values_that_are_json_travel_as_their_text():
    params = read(
        claims(
            max_age=60,
            claims={"userinfo": {"name": None}},
            authorization_details=[{"type": "x"}],
            resource=["https://a.test", "https://b.test"],
        )
    )
    assert params.values["max_age"] == "60"
    assert params.values["claims"] == '{"userinfo": {"name": null}}'
    assert params.values["authorization_details"] == '[{"type": "x"}]'
    assert params.several["resource"] == ("https://a.test", "https://b.test")


def test_what_proves_a_client_elsewhere_is_left_out():
    params = read(claims(client_secret="x", client_assertion="a.b.c"))
    assert not {"client_secret", "client_assertion"} & set(params.values)


def test_fapi2_message_signing_ensure_signed_request_object_with_rs256_fails():
    assert allowed_algorithms(FAPI) == ("PS256", "ES256", "EdDSA")
    assert allowed_algorithms(CLIENT) == ("PS256", "ES256", "EdDSA", "RS256")
    assert allowed_algorithms(client(request_object_signing_alg="RS256")) == ("RS256",)
    wrong = client(request_object_signing_alg="RS256", profile=SecurityProfile.FAPI2)
    assert allowed_algorithms(wrong) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*claims(), "claims", "resource", "authorization_details", "max_age"])


@given(st.dictionaries(NAMES | st.text(), JSON, max_size=4))
def test_every_object_is_read_or_refused(changes):
    try:
        params = read({**claims(), **changes})
    except RedirectedError as error:
        if error.code != "invalid_request_object":
            raise
    else:
        assert all(isinstance(value, str) for value in params.values.values())
