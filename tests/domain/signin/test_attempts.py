"""Limits hold across flows, devices and threads, and end by themselves."""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.signin import attempts, limits
from idp.domain.signin.attempts import Blocked, Counted, Counter, Limit

LOCK = Counter(
    "password",
    "account:x@address:y",
    Limit("lock", timedelta(days=1), 5, timedelta(minutes=30), restarts=True),
)
HOUR, DAY = (Counter("sign_in_code", "account:x", limit) for limit in limits.CODE_LIMITS)


@pytest.fixture
def reserve(sessions, clock):
    def run(counter, times=1):
        for _ in range(times):
            with transaction(sessions) as db:
                outcome = attempts.reserve(db, counter, now=clock())
        return outcome

    return run


def test_b36_the_fifth_wrong_password_locks(reserve):
    fourth = reserve(LOCK, 4)
    assert (fourth.remaining, fourth.blocked_until) == (1, None)
    fifth = reserve(LOCK)
    assert fifth.remaining == 0
    assert fifth.blocked_until is not None


def test_b37_a_lock_ends_after_thirty_minutes_and_not_before(reserve, clock):
    until = reserve(LOCK, 5).blocked_until
    assert until == clock() + timedelta(minutes=30)
    clock.set(until - timedelta(microseconds=1))
    assert reserve(LOCK) == Blocked(until, block_count=1)
    clock.set(until)
    fresh = reserve(LOCK)
    assert isinstance(fresh, Counted)
    assert fresh.remaining == 4


def test_b39_a_second_lock_within_a_day_is_counted_as_such(reserve, clock):
    reserve(LOCK, 5)
    clock.advance(timedelta(minutes=30))
    assert reserve(LOCK, 5).block_count == 2
    clock.advance(timedelta(days=1))
    assert reserve(LOCK, 5).block_count == 1


def test_ot_03_ten_wrong_codes_in_an_hour_pause_and_the_pause_grows(reserve, clock):
    pauses = []
    assert reserve(HOUR, 9).blocked_until is None
    for _ in range(3):
        until = reserve(HOUR).blocked_until
        pauses.append(until - clock())
        clock.set(until)
    assert pauses == [timedelta(minutes=minutes) for minutes in (10, 20, 30)]


def test_ot_03_the_pause_never_grows_beyond_thirty_minutes(reserve, clock):
    until = reserve(DAY, 20).blocked_until
    for _ in range(6):
        clock.set(until)
        until = reserve(DAY).blocked_until
    assert until - clock() == timedelta(minutes=30)


def test_ot_03_an_hour_later_the_hour_is_a_new_one(reserve, clock):
    reserve(HOUR, 9)
    clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert reserve(HOUR).blocked_until is not None
    clock.advance(timedelta(microseconds=1) + timedelta(minutes=10))
    assert reserve(HOUR).count == 1


def test_b38_a_finished_reset_forgets_the_failures_of_a_person_from_everywhere(
    sessions, reserve, clock
):
    other = Counter("password", "account:xy@address:y", LOCK.limit)
    reserve(LOCK, 5)
    reserve(other, 5)
    with transaction(sessions) as db:
        attempts.forget_prefix(db, "password", "account:x@")
    assert isinstance(reserve(LOCK), Counted)
    assert isinstance(reserve(other), Blocked)


def test_a_try_given_back_is_as_if_it_had_not_been(sessions, reserve):
    reserve(HOUR, 10)
    with transaction(sessions) as db:
        attempts.give_back(db, (HOUR,))
    again = reserve(HOUR)
    assert (again.count, again.block_count) == (10, 1)


def test_a_block_of_one_counter_costs_nothing_at_the_others(sessions, reserve, clock):
    reserve(DAY, 20)
    with transaction(sessions) as db:
        assert isinstance(attempts.reserve_all(db, (HOUR, DAY), now=clock()), Blocked)
    assert reserve(HOUR).count == 1


def test_rl_04_parallel_tries_are_counted_once_each(sessions, clock, race):
    def attempt(_number):
        with transaction(sessions) as db:
            return attempts.reserve(db, LOCK, now=clock())

    outcomes = race(20, attempt)
    counted = [each for each in outcomes if isinstance(each, Counted)]
    assert sorted(each.count for each in counted) == [1, 2, 3, 4, 5]
    assert len(outcomes) - len(counted) == 15


def test_old_counts_are_removed_and_young_ones_stay(sessions, reserve, clock):
    reserve(LOCK)
    clock.advance(timedelta(days=7))
    reserve(HOUR)
    with transaction(sessions) as db:
        assert attempts.delete_old_counts(db, before=clock()) == 1
    assert reserve(HOUR).count == 2
