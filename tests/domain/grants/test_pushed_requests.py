"""Pushed requests: for their client, for a short time, for one answer."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.grants.pushed_requests import (
    LIFETIME,
    PREFIX,
    PushedRefusal,
    complete_pushed_request,
    find_pushed_request,
    push_request,
)
from idp.model.grants import PushedRequest

PAIRS = [("state", "s"), ("resource", "https://a.example"), ("resource", "https://b.example")]


def push(world, client_id="app"):
    return world.do(push_request, client_id, PAIRS, now=world.now)


def find(world, request_uri, client_id="app"):
    return world.do(find_pushed_request, request_uri, client_id=client_id, now=world.now)


def test_what_was_pushed_is_found_whole(world):
    found = find(world, push(world))
    assert (found.params.values["state"], found.refusal) == ("s", None)
    assert found.params.several["resource"] == ("https://a.example", "https://b.example")


def test_the_reference_cannot_be_guessed_and_is_not_kept(world):
    one, other = push(world), push(world)
    assert one != other
    assert one.startswith(PREFIX)
    assert len(one.removeprefix(PREFIX)) == 43
    (row, _) = world.all(select(PushedRequest))
    assert one.encode() not in bytes(row.uri_digest)
    assert "request_uri" not in str(row.params)


def test_another_client_or_another_text_finds_nothing(world):
    request_uri = push(world)
    assert find(world, request_uri, "booking") is None
    assert find(world, request_uri + "x") is None
    assert find(world, PREFIX) is None


@pytest.mark.parametrize(("seconds", "refusal"), [(89, None), (90, PushedRefusal.EXPIRED)])
def test_it_ends_by_itself(world, seconds, refusal):
    assert timedelta(seconds=90) == LIFETIME
    request_uri = push(world)
    world.clock.advance(timedelta(seconds=seconds))
    assert find(world, request_uri).refusal is refusal


def test_it_is_used_up_once(world):
    request_uri = push(world)
    found = find(world, request_uri)
    assert world.do(complete_pushed_request, found.id, now=world.now)
    assert not world.do(complete_pushed_request, found.id, now=world.now)
    assert find(world, request_uri).refusal is PushedRefusal.COMPLETED


@pytest.mark.parametrize("round_number", range(20))
def test_cd_02_of_twenty_walks_at_once_one_uses_it_up(sqlite_world, round_number):
    _race(sqlite_world)


@pytest.mark.parametrize("round_number", range(20))
def test_cd_02_the_same_on_postgresql(postgresql_world, round_number):
    _race(postgresql_world)


def _race(world):
    found = find(world, push(world))
    barrier = threading.Barrier(20)
    outcomes = []

    def run():
        barrier.wait()
        with transaction(world.sessions) as db:
            outcomes.append(complete_pushed_request(db, found.id, now=world.now))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 19 + [True]
