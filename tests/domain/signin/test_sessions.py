"""Sessions: a new token at every authentication, two limits in time, ended for good."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.people import accounts
from idp.domain.signin import own_sessions, recognition
from idp.domain.signin import sessions as browser_sessions
from idp.domain.signin.sessions import NewSession, SessionLimits
from idp.model.people import Door
from idp.model.signin import BrowserSession, SessionEnd
from idp.protocol.acr import Acr
from tests import factories


@pytest.fixture
def wanted(mother):
    return NewSession(
        account_id=mother.id,
        door=Door.FAMILY,
        acr=Acr.MAILED_CODE,
        amr=("pwd", "otp"),
        device_label="Safari (iPhone)",
        limits=SessionLimits(),
    )


@pytest.fixture
def start(sessions, clock, wanted):
    def run(**changes):
        with transaction(sessions) as db:
            return browser_sessions.start_session(db, replace(wanted, **changes), now=clock())

    return run


@pytest.fixture
def find(sessions, clock):
    def run(token):
        with transaction(sessions) as db:
            return recognition.find_session(db, token, now=clock())

    return run


@pytest.fixture
def touch(sessions, clock):
    def run(started):
        with transaction(sessions) as db:
            browser_sessions.touch_session(db, started.session_id, now=clock())

    return run


def test_se_01_every_session_has_a_token_of_its_own(start, find, mother, clock):
    first, second = start(), start()
    assert first.token != second.token
    person = find(first.token)
    assert person.account_id == mother.id
    assert person.session_id == first.session_id
    assert (person.acr, person.amr) == (Acr.MAILED_CODE, ("pwd", "otp"))
    assert person.authenticated_at == clock()


def test_se_01_the_token_is_not_stored(start, sessions):
    started = start()
    with transaction(sessions) as db:
        row = db.scalars(select(BrowserSession)).one()
        assert started.token.encode() not in row.token_digest


def test_se_01_a_renewed_session_keeps_its_id_and_the_old_token_is_dead(
    sessions, clock, wanted, start, find
):
    started = start()
    clock.advance(timedelta(minutes=5))
    with transaction(sessions) as db:
        renewed = browser_sessions.renew_session(db, started.session_id, wanted, now=clock())
    assert renewed.session_id == started.session_id
    assert find(started.token) is None
    assert find(renewed.token).authenticated_at == clock()


def test_se_01_nobody_renews_the_session_of_another_person(
    sessions, clock, town, wanted, start, find
):
    started = start()
    with transaction(sessions) as db:
        other = factories.make_account(db, now=clock(), municipality_id=town.id)
        foreign = replace(wanted, account_id=other.id)
        assert browser_sessions.renew_session(db, started.session_id, foreign, now=clock()) is None
    assert find(started.token) is not None


@pytest.mark.parametrize("token", ["", "x" * 43, "\ud800", "0" * 10_000])
def test_se_02_an_invented_token_is_nobody(find, start, token):
    start()
    assert find(token) is None


@pytest.mark.parametrize(
    ("changes", "minutes"),
    [({}, 60), ({"shared_device": True}, 5), ({"door": Door.STAFF}, 15)],
    ids=["family", "b18-shared", "staff"],
)
def test_se_03_b18_idle_time_ends_a_session(start, find, clock, changes, minutes):
    started = start(**changes)
    clock.advance(timedelta(minutes=minutes) - timedelta(microseconds=1))
    assert find(started.token) is not None
    clock.advance(timedelta(microseconds=1))
    assert find(started.token) is None


def test_se_03_use_extends_the_idle_time_but_not_the_longest_life(start, find, touch, clock):
    started = start()
    begun = clock()
    while clock() < begun + timedelta(hours=11, minutes=40):
        clock.advance(timedelta(minutes=20))
        assert find(started.token) is not None
        touch(started)
    clock.set(begun + timedelta(hours=12) - timedelta(microseconds=1))
    assert find(started.token) is not None
    clock.set(begun + timedelta(hours=12))
    assert find(started.token) is None


def test_se_03_looking_does_not_extend(start, find, clock):
    started = start()
    for _ in range(3):
        clock.advance(timedelta(minutes=20))
        find(started.token)
    assert find(started.token) is None


def test_se_03_use_is_written_at_most_once_a_minute(start, find, touch, clock, sessions):
    started = start()
    clock.advance(timedelta(seconds=60) - timedelta(microseconds=1))
    person = find(started.token)
    assert not browser_sessions.is_touch_due(person, now=clock())
    touch(started)
    assert find(started.token).last_seen_at == person.last_seen_at
    clock.advance(timedelta(microseconds=1))
    assert browser_sessions.is_touch_due(person, now=clock())
    touch(started)
    assert find(started.token).last_seen_at == clock()


def test_se_03_a_session_that_ran_out_says_so_and_an_ended_one_does_not(
    start, sessions, clock, keys
):
    idle, ended = start(), start()
    with transaction(sessions) as db:
        browser_sessions.end_session(
            db, ended.session_id, SessionEnd.LOGOUT, keys=keys, now=clock()
        )
    clock.advance(timedelta(minutes=60))
    with transaction(sessions) as db:
        assert recognition.has_run_out(db, idle.token, now=clock())
        assert not recognition.has_run_out(db, ended.token, now=clock())
        assert not recognition.has_run_out(db, "invented", now=clock())


def test_se_04_all_other_sessions_end_and_the_kept_one_stays(
    sessions, clock, keys, mother, start, find
):
    kept, other = start(), start()
    with transaction(sessions) as db:
        ended = browser_sessions.end_sessions_of(
            db,
            mother.id,
            SessionEnd.PASSWORD_CHANGED,
            keys=keys,
            now=clock(),
            keep=kept.session_id,
        )
    assert ended == 1
    assert find(kept.token) is not None
    assert find(other.token) is None


def test_se_05_a_suspension_ends_the_session_with_the_next_request(
    sessions, clock, mother, start, find
):
    started = start()
    clock.advance(timedelta(seconds=1))
    with transaction(sessions) as db:
        assert accounts.suspend(db, mother.id, now=clock())
    assert find(started.token) is None


def test_se_05_a_session_from_before_the_suspension_stays_dead_after_it(
    sessions, clock, mother, start, find
):
    started = start()
    clock.advance(timedelta(seconds=1))
    with transaction(sessions) as db:
        accounts.suspend(db, mother.id, now=clock())
        accounts.resume(db, mother.id, now=clock())
    assert find(started.token) is None
    assert find(start().token) is not None


def test_se_07_a_person_lists_and_ends_her_own_sessions_only(
    sessions, clock, keys, town, mother, start, find
):
    mine, phone = start(), start(device_label="Chrome (Android)")
    with transaction(sessions) as db:
        stranger = factories.make_account(db, now=clock(), municipality_id=town.id)
    foreign = start(account_id=stranger.id)
    person = find(mine.token)
    with transaction(sessions) as db:
        listed = own_sessions.list_sessions(db, person, now=clock())
        assert {each.session_id for each in listed} == {mine.session_id, phone.session_id}
        assert [each.is_current for each in listed if each.session_id == mine.session_id] == [True]
        end = own_sessions.end_own_session
        assert not end(db, person, foreign.session_id, keys=keys, now=clock())
        assert end(db, person, phone.session_id, keys=keys, now=clock())
        assert not end(db, person, phone.session_id, keys=keys, now=clock())
    assert find(phone.token) is None
    assert find(foreign.token) is not None


def test_a_session_is_ended_once_by_twenty_at_the_same_time(sessions, clock, keys, start, race):
    started = start()

    def end(_number):
        with transaction(sessions) as db:
            return browser_sessions.end_session(
                db, started.session_id, SessionEnd.LOGOUT, keys=keys, now=clock()
            )

    assert sum(race(20, end)) == 1
