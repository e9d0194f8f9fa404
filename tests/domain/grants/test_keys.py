"""Signing keys: one active for an algorithm, changed without a failure, sealed at rest."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.grants.key_rotation import (
    activate_key,
    ensure_keys,
    list_keys,
    publish_key,
    remove_key,
)
from idp.domain.grants.keys import load_keys, published_keys
from idp.domain.grants.own_tokens import open_own_token, sign
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.grants import KeyState, SigningKey
from tests.signing import install_key

HOUR = timedelta(hours=1)


def loaded(world):
    return world.do(load_keys, keys=world.keys, now=world.now)


def states(world, alg="ES256"):
    return [each.state.value for each in world.do(list_keys) if each.alg == alg]


def publish(world, alg="ES256"):
    world.clock.advance(timedelta(seconds=1))
    return world.do(publish_key, alg, keys=world.keys, actor=COMMAND_LINE, now=world.now)


def activate(world, alg="ES256", published_for=HOUR):
    return world.do(
        activate_key, alg, published_for=published_for, actor=COMMAND_LINE, now=world.now
    )


def test_keys_are_made_at_the_first_start_and_only_then(sessions, clock):
    from tests.factories import make_keyring

    keys = make_keyring()
    with transaction(sessions) as db:
        made = ensure_keys(db, keys=keys, now=clock(), algorithms=("ES256",))
    assert len(made) == 1
    with transaction(sessions) as db:
        assert ensure_keys(db, keys=keys, now=clock(), algorithms=("ES256",)) == ()


def test_of_two_processes_that_start_at_once_one_makes_the_key(sessions, clock):
    from tests.factories import make_keyring

    keys = make_keyring()
    barrier = threading.Barrier(4)
    made = []

    def start():
        barrier.wait()
        with transaction(sessions) as db:
            made.extend(ensure_keys(db, keys=keys, now=clock(), algorithms=("ES256",)))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_every_algorithm_signs_and_verifies(world, alg):
    if alg in ("PS256", "EdDSA"):
        world.do(install_key, keys=world.keys, now=world.now, alg=alg)
    world.clock.advance(HOUR)
    keys = loaded(world)
    token = sign({"sub": "x"}, keys.signer(alg), kind="at+jwt")
    opened = open_own_token(token, keys)
    assert opened.claims == {"sub": "x"}
    assert opened.header == {"alg": alg, "kid": keys.signer(alg).kid, "typ": "at+jwt"}


def test_an_algorithm_without_a_key_says_what_to_do(world):
    with pytest.raises(KeyError, match="idp keys ensure"):
        loaded(world).signer("EdDSA")


def test_kt_01_a_new_key_signs_only_when_every_client_knows_it(world):
    old = loaded(world).signer("ES256").kid
    new = publish(world)
    assert states(world) == ["active", "published"]
    world.clock.advance(HOUR - timedelta(seconds=1))
    assert activate(world) is None
    assert loaded(world).signer("ES256").kid == old
    world.clock.advance(timedelta(seconds=1))
    assert activate(world) == new
    assert loaded(world).signer("ES256").kid == new
    assert states(world) == ["retired", "active"]


def test_one_key_waits_at_a_time(world):
    assert publish(world) is not None
    assert publish(world) is None
    assert publish(world, "HS256") is None


def test_kt_02_the_published_set_holds_no_private_parts(world):
    publish(world)
    keys = loaded(world).jwks()["keys"]
    assert len({each["kid"] for each in keys}) == len(keys) == 3
    for each in keys:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(each)
        assert (each["use"], each["alg"] in ("ES256", "RS256")) == ("sig", True)


def test_kt_03_a_removed_key_is_refused_at_once(world):
    keys = loaded(world)
    token = sign({"sub": "x"}, keys.signer("ES256"))
    kid = keys.signer("ES256").kid
    assert world.do(remove_key, kid, keys=world.keys, actor=COMMAND_LINE, now=world.now)
    assert open_own_token(token, loaded(world)) is None
    assert loaded(world).signer("ES256").kid != kid
    assert not world.do(remove_key, kid, keys=world.keys, actor=COMMAND_LINE, now=world.now)
    row = world.one(select(SigningKey).where(SigningKey.kid == kid))
    assert (row.state, row.sealed_private) == (KeyState.REMOVED, None)


def test_kt_03_the_waiting_key_takes_over_from_a_removed_one(world):
    waiting = publish(world)
    kid = loaded(world).signer("ES256").kid
    world.do(remove_key, kid, keys=world.keys, actor=COMMAND_LINE, now=world.now)
    assert loaded(world).signer("ES256").kid == waiting


def test_kt_03_another_process_knows_within_a_second(world, sessions):
    keys = loaded(world)
    token = sign({"sub": "x"}, keys.signer("ES256"))
    with sessions() as db:
        row = db.get(SigningKey, keys.signer("ES256").kid)
        row.state = KeyState.REMOVED
        db.commit()
    assert open_own_token(token, loaded(world)) is not None
    world.clock.advance(timedelta(seconds=1))
    assert open_own_token(token, loaded(world)) is None


def test_kt_06_the_private_half_is_sealed_for_this_key_alone(world):
    row = world.one(select(SigningKey).where(SigningKey.alg == "RS256"))
    assert b"PRIVATE" not in row.sealed_private
    opened = world.keys.sealer.unseal(row.sealed_private, context=f"signing_key:{row.kid}")
    assert opened.startswith(b"0\x82")


def test_what_is_published_outlives_the_database(world, sessions, engine):
    known = published_keys(sessions, keys=world.keys, now=world.now)
    broken = _Broken(sessions)
    later = world.now + timedelta(minutes=5)
    assert published_keys(broken, keys=world.keys, now=later) is known


class _Broken:
    """Sessions of a database that no longer answers, on the engine it used to have."""

    def __init__(self, sessions):
        self.sessions = sessions
        self.calls = 0

    def __call__(self):
        from sqlalchemy.exc import OperationalError

        self.calls += 1
        if self.calls > 1:
            raise OperationalError("SELECT 1", {}, Exception("gone"))
        return self.sessions()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "a.b",
        "e30.e30.",
        "e30.e30.e30.e30",
        "x" * 20_000,
        "eyJhbGciOiJub25lIn0.e30.",
        "[" * 3000 + "." + "[" * 3000 + ".x",
        "日本.日本.日本",
    ],
)
def test_jw_01_and_jw_04_what_is_no_token_of_ours_is_refused(world, token):
    assert open_own_token(token, loaded(world)) is None
