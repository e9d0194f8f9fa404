"""The rotation of signing keys by schedule: both sides of every edge, and two workers at once."""

import threading
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.grants.key_rotation import activate_key, list_keys, publish_key, remove_key
from idp.domain.grants.key_schedule import (
    KeyStep,
    NextStep,
    Schedule,
    advance_keys,
    find_next_step,
)
from idp.domain.grants.keys import load_keys
from idp.domain.grants.own_tokens import open_own_token, sign
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.upkeep import AuditEvent

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
SCHEDULE = Schedule(rotate_after=90 * DAY, lead=48 * HOUR, keep=100 * DAY)
BY_HAND = Schedule(rotate_after=None, lead=48 * HOUR, keep=100 * DAY)


def advance(world, schedule=SCHEDULE):
    """Do what the worker does hourly; return the names of the steps taken."""
    done = world.do(advance_keys, schedule, keys=world.keys, now=world.now)
    return sorted(each.partition(" ")[0] for each in done)


def loaded(world):
    return world.do(load_keys, keys=world.keys, now=world.now)


def states(world, alg="ES256"):
    return [key.state.value for key in world.do(list_keys) if key.alg == alg]


def test_kt_01_published_active_retired_removed_each_not_a_second_too_early(world):
    world.clock.advance(88 * DAY - SECOND)
    assert advance(world) == []
    world.clock.advance(SECOND)
    assert advance(world) == ["publish_successor", "publish_successor"]
    assert states(world) == ["active", "published"]
    world.clock.advance(48 * HOUR - SECOND)
    assert advance(world) == []
    world.clock.advance(SECOND)
    assert advance(world) == ["activate", "activate"]
    assert states(world) == ["retired", "active"]
    world.clock.advance(88 * DAY - SECOND)
    assert advance(world) == []
    world.clock.advance(SECOND)
    assert advance(world) == ["publish_successor", "publish_successor"]
    world.clock.advance(48 * HOUR)
    assert advance(world) == ["activate", "activate"]
    world.clock.advance(10 * DAY - SECOND)
    assert advance(world) == []
    world.clock.advance(SECOND)
    assert advance(world) == ["remove", "remove"]
    assert states(world) == ["removed", "retired", "active"]


def test_kt_01_a_client_that_caches_the_keys_verifies_everything(world):
    """A key set is up to an hour old; tokens of today and of ten minutes ago are verified."""
    world.clock.advance(87 * DAY)
    cached, fetched_at, before = KeySet.import_key_set(loaded(world).jwks()), world.now, None
    for _ in range(4 * 24 * 5):
        world.clock.advance(timedelta(minutes=15))
        advance(world)
        token = sign({"sub": "x"}, loaded(world).signer("ES256"))
        for each in (token, before or token):
            assert jwt.decode(each, cached, algorithms=["ES256"]).claims == {"sub": "x"}
        before = token
        if world.now - fetched_at >= HOUR:
            cached, fetched_at = KeySet.import_key_set(loaded(world).jwks()), world.now
    assert states(world) == ["retired", "active"]


def test_kt_01_a_worker_that_was_away_for_long_leaves_no_step_out(world):
    world.clock.advance(400 * DAY)
    assert advance(world) == ["publish_successor", "publish_successor"]
    assert advance(world) == []
    world.clock.advance(48 * HOUR)
    assert advance(world) == ["activate", "activate"]
    assert states(world) == ["retired", "active"]


def test_kt_01_a_retired_key_verifies_until_it_has_served(world):
    token = sign({"sub": "x"}, loaded(world).signer("ES256"))
    world.do(publish_key, "ES256", keys=world.keys, actor=COMMAND_LINE, now=world.now)
    world.clock.advance(HOUR)
    world.do(activate_key, "ES256", published_for=HOUR, actor=COMMAND_LINE, now=world.now)
    world.clock.advance(100 * DAY - SECOND)
    advance(world, BY_HAND)
    assert open_own_token(token, loaded(world)) is not None
    world.clock.advance(SECOND)
    assert advance(world, BY_HAND) == ["remove"]
    world.clock.advance(SECOND)
    assert open_own_token(token, loaded(world)) is None


def test_where_keys_change_by_hand_nothing_is_published_or_activated(world):
    world.clock.advance(500 * DAY)
    assert advance(world, BY_HAND) == []
    world.do(publish_key, "ES256", keys=world.keys, actor=COMMAND_LINE, now=world.now)
    world.clock.advance(30 * DAY)
    assert advance(world, BY_HAND) == []
    assert states(world) == ["active", "published"]


def test_what_comes_next_is_told_with_its_time(world):
    [key] = [each for each in world.do(list_keys) if each.alg == "ES256"]
    made = key.created_at

    def coming(schedule=SCHEDULE):
        keys = world.do(list_keys)
        return [find_next_step(each, keys, schedule) for each in keys if each.alg == "ES256"]

    assert coming() == [NextStep(KeyStep.SUCCEED, made + 88 * DAY)]
    assert coming(BY_HAND) == [None]
    world.clock.advance(88 * DAY)
    advance(world)
    assert coming() == [None, NextStep(KeyStep.ACTIVATE, made + 90 * DAY)]
    world.clock.advance(2 * DAY)
    advance(world)
    assert coming() == [
        NextStep(KeyStep.REMOVE, made + 190 * DAY),
        NextStep(KeyStep.SUCCEED, made + 178 * DAY),
    ]
    world.do(remove_key, key.kid, keys=world.keys, actor=COMMAND_LINE, now=world.now)
    assert coming()[0] is None


def test_every_step_is_in_the_audit(world):
    world.clock.advance(88 * DAY)
    advance(world)
    world.clock.advance(2 * DAY)
    advance(world)
    world.clock.advance(100 * DAY)
    advance(world)
    names = [row.name for row in world.all(select(AuditEvent)) if row.name.startswith("key.")]
    for name in ("key.published", "key.activated", "key.removed"):
        assert name in names
    assert all(row.actor_kind == "system" for row in world.all(select(AuditEvent)))


def at_once(*works):
    """Run every piece of work in a thread of its own, all at the same moment."""
    barrier = threading.Barrier(len(works))

    def run(work):
        barrier.wait()
        work()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("waits", "steps"),
    [
        ((), ["publish_successor"] * 2),
        ((2 * DAY,), ["activate"] * 2),
        ((2 * DAY, 100 * DAY), ["publish_successor"] * 2 + ["remove"] * 2),
    ],
    ids=["publish", "activate", "remove"],
)
def test_of_several_workers_at_once_one_takes_each_step(world, waits, steps):
    world.clock.advance(88 * DAY)
    for pause in waits:
        advance(world)
        world.clock.advance(pause)
    done = []

    def work():
        with transaction(world.sessions) as db:
            taken = advance_keys(db, SCHEDULE, keys=world.keys, now=world.now)
        done.extend(taken)

    at_once(work, work, work, work)
    assert len(done) == len(set(done))
    assert sorted(each.partition(" ")[0] for each in done) == steps
    for alg in ("ES256", "RS256"):
        assert states(world, alg).count("active") == 1


def test_kt_03_a_key_that_is_removed_while_it_takes_over_leaves_one_that_signs(world):
    kid = world.do(publish_key, "ES256", keys=world.keys, actor=COMMAND_LINE, now=world.now)
    world.clock.advance(48 * HOUR)

    def activate():
        with transaction(world.sessions) as db:
            activate_key(db, "ES256", published_for=HOUR, actor=COMMAND_LINE, now=world.now)

    def remove():
        with transaction(world.sessions) as db:
            remove_key(db, kid, keys=world.keys, actor=COMMAND_LINE, now=world.now)

    at_once(activate, remove, activate)
    assert states(world).count("active") == 1
    assert {key.kid: key.state for key in world.do(list_keys)}[kid] == "removed"
