"""Book hours of care: places and hours of the month are claimed by conditional writes."""

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from sqlite3 import Connection

from clients.booking.facilities import Answers, Facility
from clients.booking.rules import BookingRefusedError, Refusal, check_child
from clients.kit.claims import Child, Household
from clients.kit.clock import to_text, tokyo_day, tokyo_hour
from clients.kit.dates import runs


class State(StrEnum):
    """What has become of a booking."""

    WAITING = "waiting"
    BOOKED = "booked"
    DECLINED = "declined"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Wish:
    """What somebody asks for: hours of one day, for one child of the household, at one facility.

    The child is one of the household's own: the caller takes it from the claims.
    """

    household: Household
    sub: str
    facility: Facility
    child: Child
    day: date
    hours: tuple[int, ...]
    form_key: str


@dataclass(frozen=True)
class Booked:
    """The bookings that were made: one for each run of neighbouring hours."""

    booking_ids: tuple[str, ...]
    state: State


@dataclass(frozen=True)
class AlreadySent:
    """The same form came a second time; what it asked for was done the first time."""


def book(db: Connection, wish: Wish, *, cap: int, now: datetime) -> Booked | AlreadySent:
    """Book all the hours of a wish, or none.

    Raises:
        BookingRefusedError: why nothing was booked; the caller lets the transaction undo the rest.
    """
    if not wish.hours:
        raise BookingRefusedError(Refusal.NO_HOURS)
    check_child(wish.child, wish.day, today=tokyo_day(now))
    if not _claim_form(db, wish.household.id, wish.form_key, now=now):
        return AlreadySent()
    _claim_hours_of_month(db, wish, cap=cap)
    state = State.BOOKED if wish.facility.answers is Answers.AT_ONCE else State.WAITING
    made = tuple(_book_run(db, wish, run, state, now=now) for run in runs(wish.hours))
    return Booked(made, state)


def hours_used(db: Connection, child_id: str, day: date) -> int:
    """Return the hours a child has used up in the month of a day."""
    row = db.execute(
        "SELECT hours FROM child_month WHERE child_id = ? AND month = ?", (child_id, month_of(day))
    ).fetchone()
    return int(row["hours"]) if row else 0


def month_of(day: date) -> str:
    """Return the calendar month, in Japan, that a day's hours count for."""
    return f"{day:%Y-%m}"


def _claim_form(db: Connection, household_id: str, form_key: str, *, now: datetime) -> bool:
    claimed = db.execute(
        "INSERT INTO sent_form (household_id, form_key, sent_at) VALUES (?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (household_id, form_key, to_text(now)),
    )
    return claimed.rowcount == 1


def _claim_hours_of_month(db: Connection, wish: Wish, *, cap: int) -> None:
    """Use up hours of the child's month. The condition in the UPDATE is the cap."""
    key = {"child": wish.child.id, "month": month_of(wish.day)}
    db.execute(
        "INSERT INTO child_month (child_id, month, hours) VALUES (:child, :month, 0)"
        " ON CONFLICT DO NOTHING",
        key,
    )
    claimed = db.execute(
        "UPDATE child_month SET hours = hours + :n"
        " WHERE child_id = :child AND month = :month AND hours + :n <= :cap",
        key | {"n": len(set(wish.hours)), "cap": cap},
    )
    if claimed.rowcount == 0:
        left = max(0, cap - hours_used(db, wish.child.id, wish.day))
        raise BookingRefusedError(Refusal.MONTH_USED_UP, n=left)


def _book_run(
    db: Connection, wish: Wish, run: tuple[int, int], state: State, *, now: datetime
) -> str:
    booking_id = secrets.token_urlsafe(12)
    start, end = run
    db.execute(
        "INSERT INTO booking (id, household_id, child_id, facility_code, day, start_hour, end_hour,"
        " starts_at, ends_at, state, made_at, made_by, made_as)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            booking_id,
            wish.household.id,
            wish.child.id,
            wish.facility.code,
            wish.day.isoformat(),
            start,
            end,
            to_text(tokyo_hour(wish.day, start)),
            to_text(tokyo_hour(wish.day, end - 1) + timedelta(hours=1)),
            state,
            to_text(now),
            wish.sub,
            wish.household.role,
        ),
    )
    for hour in range(start, end):
        _claim_place(db, booking_id, wish, hour, now=now)
    return booking_id


def _claim_place(db: Connection, booking_id: str, wish: Wish, hour: int, *, now: datetime) -> None:
    """Take one place of one hour. The condition in the UPDATE is the lock."""
    claimed = db.execute(
        "UPDATE slot SET taken = taken + 1 WHERE facility_code = ? AND day = ? AND hour = ?"
        " AND starts_at > ? AND taken < capacity RETURNING id, starts_at",
        (wish.facility.code, wish.day.isoformat(), hour, to_text(now)),
    ).fetchall()
    if not claimed:
        raise _why_no_place(db, wish, hour, now=now)
    try:
        db.execute(
            "INSERT INTO booking_slot (booking_id, slot_id, child_id, starts_at)"
            " VALUES (?, ?, ?, ?)",
            (booking_id, claimed[0]["id"], wish.child.id, claimed[0]["starts_at"]),
        )
    except sqlite3.IntegrityError:
        raise BookingRefusedError(Refusal.SAME_HOUR, start=hour, end=hour + 1) from None


def _why_no_place(db: Connection, wish: Wish, hour: int, *, now: datetime) -> BookingRefusedError:
    slot = db.execute(
        "SELECT starts_at FROM slot WHERE facility_code = ? AND day = ? AND hour = ?",
        (wish.facility.code, wish.day.isoformat(), hour),
    ).fetchone()
    if slot is None:
        return BookingRefusedError(Refusal.UNKNOWN_SLOT)
    if slot["starts_at"] <= to_text(now):
        return BookingRefusedError(Refusal.PAST)
    return BookingRefusedError(Refusal.FULL, start=hour, end=hour + 1)
