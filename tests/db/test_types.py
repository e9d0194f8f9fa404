"""Moments: what goes into the database comes out, in UTC, and sorts as it should."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, literal, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from idp.base.secret import digest
from idp.db.session import reading, transaction
from idp.db.types import UtcDateTime
from idp.model.grants import ReplayMark

MARKS = ReplayMark.__table__
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Hypothesis adds the zone to the bounds.
FIRST, LAST = datetime(1900, 1, 2), datetime(2900, 12, 30)  # noqa: DTZ001
MOMENTS = st.datetimes(FIRST, LAST, timezones=ZONES)
DATABASE = create_engine("sqlite://")


def store(sessions, moment):
    with transaction(sessions) as db:
        row = {"key_digest": digest(moment.isoformat()), "expires_at": moment}
        db.execute(insert(MARKS).values(row))


def read(sessions):
    with reading(sessions) as db:
        return db.scalars(select(MARKS.c.expires_at).order_by(MARKS.c.expires_at)).all()


def test_a_moment_of_any_zone_comes_back_in_utc(sessions):
    tokyo = timezone(timedelta(hours=9))
    later = datetime(2026, 4, 1, 9, 30, 0, 1, tzinfo=tokyo)
    for moment in (later, datetime(2026, 4, 1, 0, 30, tzinfo=UTC)):
        store(sessions, moment)
    found = read(sessions)
    assert [each.isoformat() for each in found] == [
        "2026-04-01T00:30:00+00:00",
        "2026-04-01T00:30:00.000001+00:00",
    ]


def test_the_hour_that_comes_twice_in_autumn_stays_two_hours():
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    write = UtcDateTime().bind_processor(sqlite.dialect())
    assert [write(each)[:16] for each in (first, first.replace(fold=1), first)] == [
        "2026-10-25 00:30",
        "2026-10-25 01:30",
        "2026-10-25 00:30",
    ]


def test_a_naive_moment_is_refused(sessions):
    with pytest.raises(StatementError, match="naive"):
        store(sessions, datetime(2026, 4, 1, 9, 30))  # noqa: DTZ001


@given(MOMENTS, MOMENTS)
def test_sqlite_keeps_every_microsecond_and_the_order(one, other):
    first, second = literal(one, UtcDateTime()), literal(other, UtcDateTime())
    with DATABASE.connect() as connection:
        row = connection.execute(select(first, second, first < second)).one()
    assert tuple(row) == (one, other, one < other)
    assert all(each.tzinfo is UTC for each in row[:2])
