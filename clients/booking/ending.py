"""End a booking: the family cancels it, or the facility answers; places and hours become free."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from sqlite3 import Connection, Row

from clients.booking.book import State
from clients.kit.claims import Household
from clients.kit.clock import to_text


class Verdict(StrEnum):
    """What a facility answers."""

    APPROVE = "approve"
    DECLINE = "decline"


@dataclass(frozen=True)
class Ended:
    """The booking is over, or answered: whom it concerns."""

    booking_id: str
    household_id: str


@dataclass(frozen=True)
class TooLate:
    """Its first hour has begun, or somebody else was faster."""


def cancel_booking(
    db: Connection, household: Household, sub: str, booking_id: str, *, now: datetime
) -> Ended | TooLate:
    """Cancel a household's booking before it begins. The condition in the UPDATE is the lock."""
    rows = db.execute(
        "UPDATE booking SET state = :cancelled, ended_at = :now, ended_by = :sub, ended_as = :role"
        " WHERE id = :id AND household_id = :household AND starts_at > :now"
        " AND state IN ('waiting', 'booked') RETURNING *",
        {
            "cancelled": State.CANCELLED,
            "now": to_text(now),
            "sub": sub,
            "role": household.role,
            "id": booking_id,
            "household": household.id,
        },
    ).fetchall()
    if not rows:
        return TooLate()
    _release(db, rows[0], now=now)
    return Ended(booking_id, household.id)


def answer_request(
    db: Connection, booking_id: str, verdict: Verdict, *, now: datetime
) -> Ended | TooLate:
    """Enter what the facility's staff decided about a waiting booking (B54)."""
    state = State.BOOKED if verdict is Verdict.APPROVE else State.DECLINED
    rows = db.execute(
        "UPDATE booking SET state = :state,"
        " ended_at = CASE :state WHEN 'declined' THEN :now END"
        " WHERE id = :id AND state = 'waiting' AND starts_at > :now RETURNING *",
        {"state": state, "now": to_text(now), "id": booking_id},
    ).fetchall()
    if not rows:
        return TooLate()
    if state is State.DECLINED:
        _release(db, rows[0], now=now)
    return Ended(booking_id, rows[0]["household_id"])


def _release(db: Connection, booking: Row, *, now: datetime) -> None:
    """Give back the places and the hours of the month."""
    released = db.execute(
        "UPDATE booking_slot SET released_at = ? WHERE booking_id = ? AND released_at IS NULL"
        " RETURNING slot_id",
        (to_text(now), booking["id"]),
    ).fetchall()
    for row in released:
        db.execute("UPDATE slot SET taken = taken - 1 WHERE id = ?", (row["slot_id"],))
    db.execute(
        "UPDATE child_month SET hours = hours - ? WHERE child_id = ? AND month = ?",
        (len(released), booking["child_id"], booking["day"][:7]),
    )
