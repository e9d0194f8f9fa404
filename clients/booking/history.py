"""A household's bookings: what is coming, and what has been."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from sqlite3 import Connection, Row

from clients.booking.book import State
from clients.booking.facilities import Facility, find_facility
from clients.kit.claims import Role
from clients.kit.clock import from_text, to_text

#: How long a booking can be read after its day.
_HISTORY_LIFETIME = timedelta(days=5 * 365)
_EMPTY_SLOT_LIFETIME = timedelta(days=90)
_FORM_LIFETIME = timedelta(days=2)


@dataclass(frozen=True)
class BookingRecord:
    """A booking as its household sees it."""

    id: str
    household_id: str
    child_id: str
    facility: Facility
    day: date
    start_hour: int
    end_hour: int
    starts_at: datetime
    state: State
    made_by: str
    made_as: Role
    made_at: datetime

    def is_open(self, *, now: datetime) -> bool:
        """Tell whether it is still to come: only then it can be cancelled."""
        return self.starts_at > now and self.state in {State.BOOKED, State.WAITING}

    def is_waiting_in_vain(self, *, now: datetime) -> bool:
        """Tell whether its time came before the facility's answer."""
        return self.starts_at <= now and self.state is State.WAITING


def bookings_of_household(db: Connection, household_id: str) -> list[BookingRecord]:
    """Return every booking of a household, the latest day first."""
    rows = db.execute(
        "SELECT * FROM booking WHERE household_id = ? ORDER BY starts_at DESC, id",
        (household_id,),
    ).fetchall()
    return [_record(db, row) for row in rows]


def find_booking(db: Connection, household_id: str, booking_id: str) -> BookingRecord | None:
    """Return a booking of this household; another's is as if there were none."""
    row = db.execute(
        "SELECT * FROM booking WHERE id = ? AND household_id = ?", (booking_id, household_id)
    ).fetchone()
    return _record(db, row) if row else None


def hours_taken_by(db: Connection, household_id: str, child_id: str, day: date) -> frozenset[int]:
    """Return the hours of a day that a child already has a booking for."""
    rows = db.execute(
        "SELECT start_hour, end_hour FROM booking WHERE household_id = ? AND child_id = ?"
        " AND day = ? AND state IN ('waiting', 'booked')",
        (household_id, child_id, day.isoformat()),
    )
    return frozenset(hour for row in rows for hour in range(row["start_hour"], row["end_hour"]))


def waiting_requests(db: Connection, *, now: datetime) -> list[BookingRecord]:
    """Return the bookings a facility has to answer, the next first."""
    rows = db.execute(
        "SELECT * FROM booking WHERE state = 'waiting' AND starts_at > ? ORDER BY starts_at, id",
        (to_text(now),),
    ).fetchall()
    return [_record(db, row) for row in rows]


def forget_old_bookings(db: Connection, *, now: datetime) -> None:
    """Delete bookings after five years, empty slots after 90 days, used forms after two."""
    db.execute("DELETE FROM booking WHERE ends_at < ?", (to_text(now - _HISTORY_LIFETIME),))
    db.execute(
        "DELETE FROM slot WHERE starts_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM booking_slot WHERE slot_id = slot.id)",
        (to_text(now - _EMPTY_SLOT_LIFETIME),),
    )
    db.execute("DELETE FROM sent_form WHERE sent_at < ?", (to_text(now - _FORM_LIFETIME),))


def _record(db: Connection, row: Row) -> BookingRecord:
    facility = find_facility(db, row["facility_code"])
    assert facility is not None, "the foreign key keeps it"
    return BookingRecord(
        id=row["id"],
        household_id=row["household_id"],
        child_id=row["child_id"],
        facility=facility,
        day=date.fromisoformat(row["day"]),
        start_hour=row["start_hour"],
        end_hour=row["end_hour"],
        starts_at=from_text(row["starts_at"]),
        state=State(row["state"]),
        made_by=row["made_by"],
        made_as=Role(row["made_as"]),
        made_at=from_text(row["made_at"]),
    )
