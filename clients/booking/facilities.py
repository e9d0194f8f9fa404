"""Facilities and their one-hour slots: the seed, and what a family may choose from."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any

from clients.kit.clock import to_text, tokyo_day, tokyo_hour

_SEED = Path(__file__).parent / "facilities.toml"


class Answers(StrEnum):
    """Whether a facility takes a booking at once or its staff answer later."""

    AT_ONCE = "at_once"
    BY_STAFF = "by_staff"


class Room(StrEnum):
    """How much is free on a day."""

    OPEN = "open"
    FEW = "few"
    NONE = "none"


@dataclass(frozen=True)
class Facility:
    """A facility; texts by language."""

    code: str
    name: Mapping[str, str]
    address: Mapping[str, str]
    tel: str
    answers: Answers


@dataclass(frozen=True)
class Slot:
    """One hour of a day and the places left in it."""

    hour: int
    left: int


def seed_facilities(db: Connection, *, weeks: int, now: datetime) -> int:
    """Enter the fictional facilities and their slots for the next weeks; return the new slots.

    Doing it again adds only what is missing and leaves every booking as it is.
    """
    entries = tomllib.loads(_SEED.read_text(encoding="utf-8"))["facility"]
    today = tokyo_day(now)
    days = [today + timedelta(days=ahead) for ahead in range(weeks * 7 + 1)]
    added = 0
    for entry in entries:
        _enter_facility(db, entry)
        added += sum(_enter_day(db, entry, day) for day in days)
    return added


def list_facilities(db: Connection) -> list[Facility]:
    """Return all facilities in the order of their names."""
    return [_facility(row) for row in db.execute("SELECT * FROM facility ORDER BY name_ja")]


def find_facility(db: Connection, code: str) -> Facility | None:
    """Return a facility by the code that is printed at its door."""
    row = db.execute("SELECT * FROM facility WHERE code = ?", (code,)).fetchone()
    return _facility(row) if row else None


def room_by_day(
    db: Connection, facility_code: str, days: Sequence[date], *, now: datetime
) -> dict[date, Room]:
    """Tell for each day whether there are places, few, or none in hours still to come."""
    rows = db.execute(
        "SELECT day, max(capacity - taken) AS most FROM slot"
        " WHERE facility_code = ? AND day BETWEEN ? AND ? AND starts_at > ? GROUP BY day",
        (facility_code, days[0].isoformat(), days[-1].isoformat(), to_text(now)),
    )
    most = {date.fromisoformat(row["day"]): row["most"] for row in rows}
    return {day: _room(most.get(day, 0)) for day in days}


def slots_of_day(db: Connection, facility_code: str, day: date, *, now: datetime) -> list[Slot]:
    """Return the hours of a day that are still to come, full ones included."""
    rows = db.execute(
        "SELECT hour, capacity - taken AS free FROM slot"
        " WHERE facility_code = ? AND day = ? AND starts_at > ? ORDER BY hour",
        (facility_code, day.isoformat(), to_text(now)),
    )
    return [Slot(row["hour"], row["free"]) for row in rows]


def next_free_day(db: Connection, facility_code: str, *, now: datetime) -> date | None:
    """Return the first day with a free place."""
    row = db.execute(
        "SELECT min(day) AS day FROM slot"
        " WHERE facility_code = ? AND starts_at > ? AND taken < capacity",
        (facility_code, to_text(now)),
    ).fetchone()
    return date.fromisoformat(row["day"]) if row["day"] else None


def last_slot_day(db: Connection) -> date | None:
    """Return the last day for which slots have been entered anywhere."""
    row = db.execute("SELECT max(day) AS day FROM slot").fetchone()
    return date.fromisoformat(row["day"]) if row["day"] else None


def _enter_facility(db: Connection, entry: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT INTO facility (code, name_ja, name_en, address_ja, address_en, tel, answers)"
        " VALUES (:code, :name_ja, :name_en, :address_ja, :address_en, :tel, :answers)"
        " ON CONFLICT DO NOTHING",
        {name: value for name, value in entry.items() if isinstance(value, str)},
    )


def _enter_day(db: Connection, entry: Mapping[str, Any], day: date) -> int:
    if day.isoweekday() not in entry["weekdays"]:
        return 0
    first, last = entry["hours"]
    return sum(
        db.execute(
            "INSERT INTO slot (facility_code, day, hour, starts_at, capacity)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                entry["code"],
                day.isoformat(),
                hour,
                to_text(tokyo_hour(day, hour)),
                entry["places"],
            ),
        ).rowcount
        for hour in range(first, last + 1)
    )


def _facility(row: Row) -> Facility:
    return Facility(
        code=row["code"],
        name={"ja": row["name_ja"], "en": row["name_en"]},
        address={"ja": row["address_ja"], "en": row["address_en"]},
        tel=row["tel"],
        answers=Answers(row["answers"]),
    )


def _room(most: int) -> Room:
    if most <= 0:
        return Room.NONE
    return Room.FEW if most == 1 else Room.OPEN
