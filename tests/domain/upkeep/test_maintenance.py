"""Maintenance is planned, announced, running, over; and known while the database is stopped."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from idp.base.dates import parse_moment
from idp.db.session import transaction
from idp.domain.backstage.housekeeping import clean_up
from idp.domain.upkeep.audit import SYSTEM, Actor
from idp.domain.upkeep.maintenance import (
    FRESH_FOR,
    LONGEST,
    MaintenanceFault,
    Plan,
    end_maintenance,
    find_announced,
    find_running,
    known_windows,
    list_windows,
    plan_maintenance,
)
from idp.model.upkeep import AuditEvent, MaintenanceWindow
from tests import factories

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def plan(sessions, clock):
    """Plan maintenance that starts in so many hours; return its id, or why not."""

    def run(starts_in=24, lasts=5, announced=DAY * 7, **notes):
        start = clock() + HOUR * starts_in
        wanted = Plan(start, start + HOUR * lasts, start - announced, **notes)
        with transaction(sessions) as db:
            return plan_maintenance(db, wanted, actor=SYSTEM, now=clock())

    return run


@pytest.fixture
def planned(sessions, clock):
    def run():
        with transaction(sessions) as db:
            return list_windows(db, now=clock())

    return run


def test_b43_a_plan_is_listed_until_its_end(plan, planned, clock):
    window_id = plan(note_ja="予約の締切にご注意ください。")
    [window] = planned()
    assert (window.id, window.note_ja, window.note_en) == (
        window_id,
        "予約の締切にご注意ください。",
        None,
    )
    clock.set(window.ends_at - INSTANT)
    assert planned() == (window,)
    clock.set(window.ends_at)
    assert planned() == ()


def test_b43_it_runs_from_its_first_moment_to_its_last(plan, planned, clock):
    plan()
    [window] = planned()
    for moment, runs in (
        (window.starts_at - INSTANT, False),
        (window.starts_at, True),
        (window.ends_at - INSTANT, True),
        (window.ends_at, False),
    ):
        assert (find_running((window,), now=moment) is window) is runs


def test_b43_it_is_announced_from_the_day_that_was_planned_to_its_end(plan, planned, clock):
    plan(starts_in=24 * 10)
    [window] = planned()
    assert window.announced_at == window.starts_at - 7 * DAY
    for moment, told in (
        (window.announced_at - INSTANT, False),
        (window.announced_at, True),
        (window.ends_at - INSTANT, True),
        (window.ends_at, False),
    ):
        assert (find_announced((window,), now=moment) is window) is told


def test_b43_of_two_the_next_is_announced_and_the_last_end_counts(plan, planned, clock):
    plan(starts_in=24, lasts=2)
    plan(starts_in=25, lasts=5)
    first, second = planned()
    assert find_announced((second, first), now=clock()) == first
    both = second.starts_at
    assert find_running((first, second), now=both) == second
    assert find_announced((first, second), now=both) == second


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"lasts": 0}, MaintenanceFault.ORDER),
        ({"lasts": -1}, MaintenanceFault.ORDER),
        ({"starts_in": -5, "lasts": 5}, MaintenanceFault.OVER),
        ({"lasts": LONGEST / HOUR + 1}, MaintenanceFault.TOO_LONG),
        ({"note_ja": "あ" * 201}, MaintenanceFault.NOTE),
        ({"note_en": "two\nlines"}, MaintenanceFault.NOTE),
    ],
)
def test_b43_what_makes_no_sense_is_not_planned(plan, planned, options, fault):
    assert plan(**options) is fault
    assert planned() == ()


def test_b43_planning_and_ending_leave_rows_in_the_audit_log(plan, sessions, clock):
    actor = Actor(kind="cli")
    coming, running = plan(starts_in=3), plan(starts_in=0)
    with transaction(sessions) as db:
        assert end_maintenance(db, coming, actor=actor, now=clock())
        assert end_maintenance(db, running, actor=actor, now=clock())
        assert not end_maintenance(db, running, actor=actor, now=clock())
        rows = db.scalars(select(AuditEvent).order_by(AuditEvent.name)).all()
        assert [(row.name, row.subject_id, row.actor_kind) for row in rows] == [
            ("maintenance.called_off", coming, "cli"),
            ("maintenance.ended", running, "cli"),
            *(("maintenance.planned", each.subject_id, "system") for each in rows[2:]),
        ]
        assert list_windows(db, now=clock()) == ()


def test_b43_what_another_process_planned_is_known_after_some_seconds(sessions, clock):
    assert known_windows(sessions, now=clock()) == ()
    now = clock()
    with transaction(sessions) as db:  # as another process writes it: nothing is said here
        values = {"starts_at": now, "ends_at": now + HOUR, "announced_at": now}
        db.add(MaintenanceWindow(id=factories.new_id(now=now), created_at=now, **values))
    clock.advance(FRESH_FOR - INSTANT)
    assert known_windows(sessions, now=clock()) == ()
    clock.advance(INSTANT)
    assert len(known_windows(sessions, now=clock())) == 1


def test_b43_what_this_process_planned_is_known_at_once(sessions, plan, clock):
    assert known_windows(sessions, now=clock()) == ()
    plan(starts_in=0)
    assert len(known_windows(sessions, now=clock())) == 1


@pytest.fixture
def stop(engine, monkeypatch):
    """Stop the database: from then on nobody gets a connection."""

    def gone(*_arguments, **_options):
        raise OperationalError("SELECT", {}, Exception("gone"))

    return lambda: monkeypatch.setattr(engine, "connect", gone)


def test_b43_a_running_plan_outlives_a_database_that_is_stopped_for_it(sessions, stop, plan, clock):
    plan(starts_in=0, lasts=1)
    [window] = known_windows(sessions, now=clock())
    clock.advance(FRESH_FOR)
    stop()
    assert known_windows(sessions, now=clock()) == (window,)
    clock.set(window.ends_at)
    with pytest.raises(OperationalError):
        known_windows(sessions, now=clock())


def test_b43_a_database_that_is_gone_without_a_plan_is_the_caller_s_to_report(
    sessions, stop, clock
):
    stop()
    with pytest.raises(OperationalError):
        known_windows(sessions, now=clock())


def test_b43_plans_go_a_year_after_their_end(sessions, plan, planned, clock):
    plan(starts_in=0, lasts=1)
    clock.advance(HOUR + 365 * DAY - INSTANT)
    for left in (1, 0):
        with transaction(sessions) as db:
            clean_up(db, now=clock())
            assert len(db.scalars(select(MaintenanceWindow.id)).all()) == left
        clock.advance(INSTANT)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-29T00:00", "2026-11-29T00:00:00+09:00"),
        (" 2026-11-29 00:00 ", "2026-11-29T00:00:00+09:00"),
        ("２０２６-11-29T00:00", "2026-11-29T00:00:00+09:00"),
        ("2026-11-28T15:00Z", "2026-11-28T15:00:00+00:00"),
    ],
)
def test_b43_a_moment_is_japanese_time_unless_it_says_otherwise(text, moment):
    assert parse_moment(text).isoformat() == moment


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01T00:00", "0001-01-01T00:00"])
def test_b43_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text)
