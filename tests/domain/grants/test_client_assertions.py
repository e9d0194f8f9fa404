"""Client assertions: the right key, for us, now, and once."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.base.secret import to_base64url
from idp.db.session import transaction
from idp.domain.grants.client_assertions import (
    AssertionRefusal,
    AssertionRules,
    claimed_client_id,
    verify_assertion,
)
from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.clients import find_client
from idp.domain.grants.jose import REGISTRIES
from idp.protocol.client import AuthMethod

ISSUER = "https://id.example"
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"})
STRANGER = ECKey.generate_key("P-256", {"kid": "ec"})
KEYS = {"ES256": EC, "RS256": RSA, "PS256": RSA, "EdDSA": ED}
JWKS = {"keys": [key.as_dict(private=False) for key in (EC, RSA, ED)]}


def client(world, **changes):
    values = {
        "token_endpoint_auth_method": AuthMethod.PRIVATE_KEY_JWT,
        "jwks": JWKS,
    }
    return replace(world.do(find_client, "booking"), **(values | changes))


def assertion(world, alg="ES256", key=None, header=None, **changes):
    now = int(world.now.timestamp())
    claims = {
        "iss": "booking",
        "sub": "booking",
        "aud": ISSUER,
        "jti": "j-1",
        "iat": now,
        "exp": now + 60,
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    head = {"alg": alg, "kid": KEYS[alg].kid} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, claims, key or KEYS[alg], registry=REGISTRIES[alg])


def rules(world, audiences=frozenset({ISSUER})):
    return AssertionRules(audiences, ClientKeys(), world.keys)


def verify(world, text, audiences=frozenset({ISSUER}), **changes):
    judged_by = rules(world, audiences)
    return world.do(
        verify_assertion, text, client(world, **changes), rules=judged_by, now=world.now
    )


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_every_asymmetric_algorithm_is_accepted(world, alg):
    assert verify(world, assertion(world, alg)) is None


def test_without_a_kid_every_key_of_the_kind_is_tried(world):
    assert verify(world, assertion(world, header={"kid": None})) is None


def test_a_client_registered_for_one_algorithm_uses_that(world):
    text = assertion(world, "RS256")
    refused = verify(world, text, token_endpoint_auth_signing_alg="PS256")
    assert refused is AssertionRefusal.SIGNATURE


def test_ca_05_an_assertion_works_once(world):
    text = assertion(world)
    assert verify(world, text) is None
    assert verify(world, text) is AssertionRefusal.REPLAYED
    assert verify(world, assertion(world, jti="j-2")) is None


def test_ca_05_of_twenty_at_once_one_wins(world):
    text, registered = assertion(world), client(world)
    barrier = threading.Barrier(20)
    outcomes = []

    def run():
        barrier.wait()
        with transaction(world.sessions) as db:
            outcomes.append(
                verify_assertion(db, text, registered, rules=rules(world), now=world.now)
            )

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(None) == 1
    assert outcomes.count(AssertionRefusal.REPLAYED) == 19


@pytest.mark.parametrize(
    "audience",
    [
        ISSUER + "/token",
        ISSUER + "/",
        [ISSUER],
        [ISSUER, "https://other.example"],
        "https://other.example",
        None,
        5,
    ],
)
def test_ca_06_the_audience_is_the_issuer_as_one_text(world, audience):
    assert verify(world, assertion(world, aud=audience)) is AssertionRefusal.AUDIENCE


def test_ca_06_the_token_endpoint_only_where_it_was_switched_on(world):
    both = frozenset({ISSUER, ISSUER + "/token"})
    assert verify(world, assertion(world, aud=ISSUER + "/token"), audiences=both) is None


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"exp": 3600}, AssertionRefusal.TIME),
        ({"exp": None}, AssertionRefusal.TIME),
        ({"exp": -61}, AssertionRefusal.TIME),
        ({"iat": 8}, None),
        ({"nbf": 8}, None),
        ({"iat": 90}, AssertionRefusal.TIME),
        ({"nbf": 90}, AssertionRefusal.TIME),
        ({"jti": None}, AssertionRefusal.CLAIMS),
        ({"jti": ""}, AssertionRefusal.CLAIMS),
        ({"jti": "x" * 300}, AssertionRefusal.CLAIMS),
        ({"iss": "other"}, AssertionRefusal.CLAIMS),
        ({"sub": "other"}, AssertionRefusal.CLAIMS),
        ({"sub": None}, AssertionRefusal.CLAIMS),
    ],
)
def test_ca_07_times_and_names_are_checked(world, changes, refusal):
    now = int(world.now.timestamp())
    for name in ("exp", "iat", "nbf"):
        if isinstance(changes.get(name), int):
            changes = changes | {name: now + changes[name]}
    assert verify(world, assertion(world, **changes)) is refusal


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.b.c", "e30.e30.e30", "[" * 500 + ".x.y", "x" * 20_000, "日本.日本.日本"],
)
def test_jw_01_what_is_no_assertion_is_refused(world, text):
    assert verify(world, text) is AssertionRefusal.SIGNATURE
    assert claimed_client_id(text) is None


def test_jw_01_none_and_symmetric_algorithms_are_refused(world):
    _, body, signature = assertion(world).split(".")
    for alg in ("none", "None", "HS256", None, ["ES256"], "ES384"):
        head = to_base64url(f'{{"alg": {alg!r}}}'.replace("'", '"').encode())
        for end in ("", signature):
            assert verify(world, f"{head}.{body}.{end}") is AssertionRefusal.SIGNATURE


def test_a_strangers_key_is_refused(world):
    assert verify(world, assertion(world, key=STRANGER)) is AssertionRefusal.SIGNATURE


def test_jw_03_a_key_in_the_header_is_never_used(world):
    header = {"jwk": STRANGER.as_dict(private=False)}
    text = assertion(world, key=STRANGER, header=header)
    assert verify(world, text) is AssertionRefusal.SIGNATURE


def test_jw_05_a_critical_header_is_refused(world):
    text = assertion(world)
    _, body, signature = text.split(".")
    head = to_base64url(b'{"alg":"ES256","kid":"ec","crit":["x"],"x":1}')
    assert verify(world, f"{head}.{body}.{signature}") is AssertionRefusal.SIGNATURE


def test_jw_06_a_deep_payload_is_refused_before_it_is_parsed(world):
    head, _, signature = assertion(world).split(".")
    deep = to_base64url(b'{"iss":' + b"[" * 3000 + b"]" * 3000 + b"}")
    assert claimed_client_id(f"{head}.{deep}.{signature}") is None
    assert verify(world, f"{head}.{deep}.{signature}") is AssertionRefusal.SIGNATURE


def test_the_claimed_client_is_read_before_anything_is_verified(world):
    assert claimed_client_id(assertion(world)) == "booking"
    assert claimed_client_id(assertion(world, iss=None)) is None


def test_a_mark_may_go_when_the_assertion_has_ended(world):
    text = assertion(world)
    assert verify(world, text) is None
    world.clock.advance(timedelta(minutes=10))
    assert verify(world, text) is AssertionRefusal.TIME
