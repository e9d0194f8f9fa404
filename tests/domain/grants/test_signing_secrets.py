"""Secrets that sign (client_secret_jwt): the one kind that is kept in a form to read back."""

import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import select

from idp.base.keyring import build_keyring
from idp.base.secret import digest, to_base64url
from idp.domain.grants.cleanup import delete_ended_grants
from idp.domain.grants.client_assertions import AssertionRefusal, AssertionRules, verify_assertion
from idp.domain.grants.client_export import export_client
from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.client_registry import import_client, register_client
from idp.domain.grants.client_secrets import end_old_secrets, rotate_secret
from idp.domain.grants.client_signatures import secret_context
from idp.domain.grants.clients import find_client, load_client
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.clients import ClientSecret
from idp.model.upkeep import AuditEvent
from idp.protocol.addresses import AddressRules
from idp.protocol.client import AuthMethod
from idp.protocol.registration import parse_registration
from tests import factories

ISSUER = "https://id.example"
KEY = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
DOCUMENT = {
    "client_id": "signer",
    "client_name": "一時あずかり予約",
    "redirect_uris": ["https://booking.example/callback"],
    "token_endpoint_auth_method": "client_secret_jwt",
}
OTHERS = [method.value for method in AuthMethod if method is not AuthMethod.SECRET_JWT]


def document(**changes):
    content = {name: value for name, value in (DOCUMENT | changes).items() if value is not None}
    return parse_registration(content, rules=AddressRules())


def save(world, operation=import_client, **changes):
    """Register the client, or bring it to another state."""
    named = {"actor": COMMAND_LINE, "keys": world.keys, "now": world.now}
    return world.do(operation, document(**changes), **named)


def rotate(world):
    named = {"actor": COMMAND_LINE, "keys": world.keys, "now": world.now}
    return world.do(rotate_secret, "signer", **named).secret


def rows(world):
    found = select(ClientSecret).where(ClientSecret.client_id == "signer")
    return world.all(found.order_by(ClientSecret.created_at))


def assertion(world, key, alg="HS256", **changes):
    """Sign by hand where the key is a text: the library would refuse some of them."""
    now = int(world.now.timestamp())
    claims = {"iss": "signer", "sub": "signer", "aud": ISSUER, "jti": "j-1", "exp": now + 60}
    if isinstance(key, ECKey):
        return jwt.encode({"alg": alg}, claims | changes, key, algorithms=[alg])
    parts = [to_base64url(json.dumps(each).encode()) for each in ({"alg": alg}, claims | changes)]
    signed = hmac.new(key.encode(), ".".join(parts).encode(), f"sha{alg[2:]}").digest()
    return ".".join([*parts, to_base64url(signed)])


def verify(world, text, *, keys=None, **changes):
    client = replace(world.do(find_client, "signer"), **changes)
    rules = AssertionRules(frozenset({ISSUER}), ClientKeys(), keys or world.keys)
    return world.do(verify_assertion, text, client, rules=rules, now=world.now)


def test_an_assertion_signed_with_the_secret_works_once(world):
    text = assertion(world, save(world, register_client).secret)
    assert verify(world, text) is None
    assert verify(world, text) is AssertionRefusal.REPLAYED


def test_ca_08_a_secret_that_signs_is_sealed_for_its_client_and_in_no_document(world):
    made = save(world)
    [row] = rows(world)
    assert row.digest == digest(made.secret)
    assert made.secret.encode() not in row.sealed
    opened = world.keys.sealer.unseal(row.sealed, context=secret_context("signer"))
    assert opened.decode() == made.secret
    assert made.secret not in repr((world.do(export_client, made.client), made.client))


@pytest.mark.parametrize("method", OTHERS)
def test_ca_08_of_every_other_client_only_a_digest_is_kept(world, method):
    keys = {"jwks": {"keys": [KEY.as_dict(private=False)]}} if method == "private_key_jwt" else {}
    made = save(world, token_endpoint_auth_method=method, **keys)
    assert (made.secret is None) == (method in ("none", "private_key_jwt"))
    assert {row.sealed for row in rows(world)} <= {None}


@pytest.mark.parametrize("wrong", ["x" * 43, "short"])
def test_another_secret_is_refused(world, wrong):
    save(world)
    assert verify(world, assertion(world, wrong)) is AssertionRefusal.SIGNATURE


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_only_the_registered_kind_of_hash_is_taken(world, alg):
    text = assertion(world, save(world).secret + "x" * 64, alg)
    assert verify(world, text) is AssertionRefusal.SIGNATURE


def test_jw_02_a_key_proves_nothing_for_a_client_that_signs_with_its_secret(world):
    save(world, jwks={"keys": [KEY.as_dict(private=False)]})
    assert verify(world, assertion(world, KEY, "ES256")) is AssertionRefusal.SIGNATURE


@pytest.mark.parametrize("kind", ["own", "pem", "jwk"])
def test_jw_02_a_secret_proves_nothing_for_a_client_that_signs_with_its_key(world, kind):
    public = KEY.as_dict(private=False)
    known = {
        "own": save(world).secret,
        "pem": KEY.as_pem(private=False).decode(),
        "jwk": json.dumps(public),
    }
    save(world, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public]})
    assert verify(world, assertion(world, known[kind])) is AssertionRefusal.SIGNATURE
    assert verify(world, assertion(world, KEY, "ES256")) is None


def test_lg_07_an_empty_key_signs_nothing_for_a_client_without_a_secret(world):
    save(world)
    text = assertion(world, "")
    assert verify(world, text) is AssertionRefusal.SIGNATURE
    assert verify(world, text, secrets=()) is AssertionRefusal.SIGNATURE


def test_ca_09_two_secrets_sign_while_one_replaces_the_other(world):
    first = save(world).secret
    world.clock.advance(timedelta(minutes=1))
    second = rotate(world)
    assert verify(world, assertion(world, first, jti="1")) is None
    assert verify(world, assertion(world, second, jti="2")) is None
    world.clock.advance(timedelta(days=7))
    assert verify(world, assertion(world, first, jti="3")) is AssertionRefusal.SIGNATURE
    assert verify(world, assertion(world, second, jti="4")) is None


def test_ca_09_a_secret_that_was_ended_is_not_kept_to_read_back(world):
    first = save(world).secret
    world.clock.advance(timedelta(minutes=1))
    rotate(world)
    assert world.do(end_old_secrets, "signer", actor=COMMAND_LINE, now=world.now)
    assert [row.sealed is None for row in rows(world)] == [True, False]
    assert verify(world, assertion(world, first)) is AssertionRefusal.SIGNATURE


def test_ca_09_of_a_secret_that_has_run_out_the_digest_alone_is_kept(world):
    first = save(world).secret
    world.clock.advance(timedelta(minutes=1))
    rotate(world)
    world.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    world.do(delete_ended_grants, now=world.now)
    assert [row.sealed is None for row in rows(world)] == [False, False]
    world.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        world.do(delete_ended_grants, now=world.now)
        assert [row.sealed is None for row in rows(world)] == [True, False]
    assert rows(world)[0].digest == digest(first)
    world.clock.advance(timedelta(days=3650))
    world.do(delete_ended_grants, now=world.now)
    assert rows(world)[0].digest == digest(first)


def test_a_request_does_not_read_secrets_that_have_run_out(world):
    save(world)
    world.clock.advance(timedelta(minutes=1))
    second = rotate(world)
    world.clock.advance(timedelta(days=7))
    world.do(delete_ended_grants, now=world.now)
    loaded = world.do(load_client, "signer").secrets
    assert [each.digest for each in loaded] == [digest(second)]


def test_ca_09_a_secret_that_ends_at_once_is_not_kept_to_read_back(world):
    save(world)
    for _ in range(2):
        world.clock.advance(timedelta(minutes=1))
        rotate(world)
    assert [row.sealed is None for row in rows(world)] == [True, False, False]
    world.clock.advance(timedelta(minutes=1))
    named = {"actor": COMMAND_LINE, "keys": world.keys, "now": world.now}
    world.do(rotate_secret, "signer", overlap=timedelta(0), **named)
    assert [row.sealed is None for row in rows(world)] == [True, True, True, False]


def test_a_client_that_begins_to_sign_gets_a_secret_to_sign_with(world):
    before = save(world, token_endpoint_auth_method="client_secret_basic").secret
    world.clock.advance(timedelta(minutes=1))
    made = save(world).secret
    assert made not in (None, before)
    assert verify(world, assertion(world, before)) is AssertionRefusal.SIGNATURE
    assert verify(world, assertion(world, made)) is None
    assert save(world).secret is None
    assert [event.name for event in world.all(select(AuditEvent))].count(
        "client.secret_rotated"
    ) == 1


def test_a_client_may_bring_the_secret_it_has_when_it_begins_to_sign(world):
    before = save(world, token_endpoint_auth_method="client_secret_basic").secret
    assert save(world, client_secret=before).secret is None
    assert len(rows(world)) == 1
    assert verify(world, assertion(world, before)) is None


def test_a_client_that_stops_signing_loses_no_secret_and_keeps_none_to_read_back(world):
    first = save(world, token_endpoint_auth_method="client_secret_post").secret
    world.clock.advance(timedelta(minutes=1))
    second = save(world).secret
    back = save(world, token_endpoint_auth_method="client_secret_post")
    assert back.secret is None
    assert {each.digest for each in back.client.secrets} == {digest(first), digest(second)}
    assert [row.sealed for row in rows(world)] == [None, None]


def test_ca_08_a_client_that_stops_having_secrets_does_not_get_them_back_with_the_method(world):
    before = save(world, token_endpoint_auth_method="client_secret_basic").secret
    keys = {"jwks": {"keys": [KEY.as_dict(private=False)]}}
    save(world, token_endpoint_auth_method="private_key_jwt", **keys)
    assert world.do(find_client, "signer").secrets == ()
    after = save(world, token_endpoint_auth_method="client_secret_basic").secret
    assert after not in (None, before)
    assert [each.digest for each in world.do(find_client, "signer").secrets] == [digest(after)]


def test_a_secret_sealed_under_the_master_key_before_still_signs(world):
    secret = save(world).secret
    renewed = build_keyring(
        master_key=b"n" * 32,
        subject_key=factories.SUBJECT_KEY,
        pepper=factories.PEPPER,
        previous_master_key=factories.MASTER_KEY,
    )
    assert verify(world, assertion(world, secret), keys=renewed) is None
