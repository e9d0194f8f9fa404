"""ID tokens, access tokens, logout tokens: what they say, and what comes back of them."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.base.secret import to_base64url
from idp.protocol.access_token import AccessTokenFacts, build_access_token, family_of_jti, new_jti
from idp.protocol.claims import PROTOCOL_CLAIMS
from idp.protocol.id_token import IdTokenFacts, build_id_token, half_hash
from idp.protocol.jwt_claims import LEEWAY, is_current, is_for
from idp.protocol.logout import (
    EVENT,
    Hint,
    LogoutTokenFacts,
    Presence,
    build_logout_token,
    fits,
    parse_hint,
    resolve_return,
)
from tests.clock import START
from tests.protocol.support import CLIENT
from tests.protocol.test_authorize import NEAR_MISSES

ISSUER = "https://id.test"


def id_token(**changes):
    facts = {
        "issuer": ISSUER,
        "client_id": "rp",
        "subject": "sub-1",
        "session": "sid-1",
        "acr": "urn:kosodate:acr:pwd+emailotp",
        "amr": ("pwd", "otp"),
        "authenticated_at": START - timedelta(minutes=5),
        "nonce": "n-1",
        "state_hash": half_hash("st-1", alg="RS256"),
        "lifetime": timedelta(minutes=5),
        "claims": {},
    }
    facts = IdTokenFacts(**(facts | changes))
    return build_id_token(facts, access_token="a.b.c", alg="RS256", now=START)


def test_cd_11_the_id_token_says_who_for_whom_and_when():
    token = id_token()
    assert token["iss"] == ISSUER
    assert (token["sub"], token["aud"], token["sid"]) == ("sub-1", "rp", "sid-1")
    assert token["auth_time"] == int(START.timestamp()) - 300
    assert token["exp"] - token["iat"] == 300
    assert (token["acr"], token["amr"]) == ("urn:kosodate:acr:pwd+emailotp", ["pwd", "otp"])


def test_a21_a_mailed_code_is_no_second_factor_of_its_own():
    assert "mfa" not in id_token()["amr"]


def test_cd_11_the_nonce_is_there_only_if_it_was_sent():
    assert id_token()["nonce"] == "n-1"
    assert "nonce" not in id_token(nonce=None)


def test_s_hash_is_there_only_if_a_state_was_sent():
    assert id_token()["s_hash"] == half_hash("st-1", alg="RS256")
    assert "s_hash" not in id_token(state_hash=None)


@pytest.mark.parametrize("name", sorted(PROTOCOL_CLAIMS))
def test_jw_10_nothing_about_a_person_replaces_a_protocol_claim(name):
    assert id_token(claims={name: "evil"}).get(name) != "evil"


def test_claims_asked_for_by_name_stand_beside():
    assert id_token(claims={"email": "a@example.jp"})["email"] == "a@example.jp"


def test_at_hash_is_the_example_of_the_specification():
    # OIDC Core Appendix A.3.
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert half_hash(token, alg="RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert len(half_hash(token, alg="EdDSA")) == 43


def access_facts(**changes):
    facts = {
        "issuer": ISSUER,
        "audience": (ISSUER,),
        "client_id": "rp",
        "subject": "sub-1",
        "scope": "openid",
        "lifetime": timedelta(minutes=5),
    }
    return AccessTokenFacts(**(facts | changes))


def test_an_access_token_has_what_rfc_9068_demands():
    token = build_access_token(access_facts(), jti="j", now=START)
    assert set(token) == {"iss", "sub", "aud", "client_id", "scope", "jti", "iat", "exp"}
    whole = access_facts(acr="x", authenticated_at=START)
    assert {"acr", "auth_time"} <= set(build_access_token(whole, jti="j", now=START))


@given(st.uuids())
def test_a_jti_leads_to_its_family_and_never_repeats(family_id):
    one, other = new_jti(family_id), new_jti(family_id)
    assert family_of_jti(one) == family_of_jti(other) == family_id
    assert one != other


def test_a_clients_own_token_leads_to_no_family():
    assert family_of_jti(new_jti(None)) is None


@given(st.text())
def test_any_text_as_a_jti_leads_somewhere_or_nowhere(text):
    family_of_jti(text)
    assert family_of_jti(to_base64url(b"x" * 31)) is None


NOW = int(START.timestamp())


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW + 1}, True),
        ({"exp": NOW - 29}, True),
        ({"exp": NOW - 30}, False),
        ({"exp": NOW - 61}, False),
        ({"exp": NOW + 9, "nbf": NOW + 30}, True),
        ({"exp": NOW + 99, "nbf": NOW + 31}, False),
        ({"exp": NOW + 99, "nbf": NOW + 61}, False),
        ({"exp": NOW + 99, "iat": NOW + 8}, True),
        ({"exp": NOW + 99, "iat": NOW + 90}, False),
        ({}, False),
        ({"exp": str(NOW + 1)}, False),
        ({"exp": float("nan")}, False),
        ({"exp": float("inf")}, False),
        ({"exp": 1e400}, False),
        ({"exp": -1}, False),
        ({"exp": True}, False),
        ({"exp": NOW + 9, "nbf": None}, False),
    ],
)
def test_jw_08_times_are_numbers_within_the_leeway(claims, expected):
    assert is_current(claims, now=START) is expected
    assert timedelta(seconds=60) >= LEEWAY


@pytest.mark.parametrize(
    ("audience", "expected"),
    [("rp", True), (["rp"], True), (["rp", "x"], False), ("x", False), (None, False), ([], False)],
)
def test_jw_09_the_audience_is_one(audience, expected):
    assert is_for({"aud": audience}, "rp") is expected


def test_lo_08_the_logout_token():
    facts = LogoutTokenFacts(ISSUER, "rp", "sub-1", "sid-1")
    token = build_logout_token(facts, jti="j", now=START)
    assert token["events"] == {EVENT: {}}
    assert (token["aud"], token["sub"], token["sid"], token["jti"]) == ("rp", "sub-1", "sid-1", "j")
    assert "nonce" not in token
    assert token["exp"] - token["iat"] <= 120


def hint(header=None, **changes):
    claims = {**id_token(), **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    return parse_hint(header or {"typ": "JWT"}, claims, issuer=ISSUER, now=START)


def test_lo_03_a_genuine_id_token_is_a_hint_even_when_it_has_expired():
    assert hint() == Hint("rp", "sub-1", "sid-1")
    assert hint(exp=1) == Hint("rp", "sub-1", "sid-1")
    assert hint(aud=["rp"]) == Hint("rp", "sub-1", "sid-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": ["rp", "x"]},
        {"aud": 5},
        {"sub": None},
        {"auth_time": None},
        {"events": {EVENT: {}}},
        {"iat": 1},
        {"iat": "now"},
    ],
)
def test_lo_03_anything_else_is_no_hint(changes):
    assert hint(**changes) is None


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", "oauth-authz-req+jwt", 5])
def test_lo_03_another_type_is_no_hint(kind):
    assert hint(header={"typ": kind}) is None


def test_lo_07_only_the_hint_of_this_very_session_fits():
    here = Presence("sub-1", "sid-1")
    assert fits(Hint("rp", "sub-1", "sid-1"), here)
    assert not fits(Hint("rp", "sub-2", "sid-1"), here)
    assert not fits(Hint("rp", "sub-1", "sid-2"), here)
    assert not fits(Hint("rp", "sub-1", None), here)
    assert not fits(None, here)


@pytest.mark.parametrize("uri", [*(miss.replace("/cb", "/bye") for miss in NEAR_MISSES), None])
def test_lo_01_only_a_registered_return_address_is_followed(uri):
    assert resolve_return(CLIENT, uri=uri, state="s") is None


def test_lo_01_the_registered_one_gets_the_state_and_nothing_else():
    reply = resolve_return(CLIENT, uri="https://rp.test/bye", state="x" * 128)
    assert dict(reply.params) == {"state": "x" * 128}
    assert dict(resolve_return(CLIENT, uri="https://rp.test/bye", state=None).params) == {}
    assert resolve_return(None, uri="https://rp.test/bye", state=None) is None


def test_uuid_of_a_jti_is_a_uuid():
    assert isinstance(family_of_jti(new_jti(UUID(int=7))), UUID)
