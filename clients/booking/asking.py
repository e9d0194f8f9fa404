"""What the booking pages read from a request: the rules, the facility, the child, the day."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from sqlite3 import Connection

from flask import Flask, current_app, request
from werkzeug.exceptions import NotFound

from clients.booking.book import hours_used
from clients.booking.children import KnownChild, known_children
from clients.booking.facilities import Facility, find_facility, last_slot_day, next_free_day
from clients.booking.rules import BookingRefusedError, Rules, standing
from clients.kit import dates
from clients.kit.clock import tokyo_day
from clients.kit.context import Member, kit

_EXTENSION = "booking_rules"
_HOURS = frozenset(str(hour) for hour in range(24))


@dataclass(frozen=True)
class Allowance:
    """The hours of a child in a month."""

    cap: int
    left: int


def attach_rules(app: Flask, rules: Rules) -> None:
    """Give the application the municipality's rules."""
    app.extensions[_EXTENSION] = rules


def rules() -> Rules:
    """Return the rules of the running application."""
    found: Rules = current_app.extensions[_EXTENSION]
    return found


def require_facility(db: Connection, code: str) -> Facility:
    """Return the facility of a code, however it was typed; 404 when there is none."""
    facility = find_facility(db, unicodedata.normalize("NFKC", code).lower())
    if facility is None:
        raise NotFound
    return facility


def own_children(db: Connection, member: Member) -> list[KnownChild]:
    """Return the children the provider names now, with the family's nicknames."""
    known = known_children(db, member.household.id)
    return [
        KnownChild(child, known[child.id].nickname if child.id in known else "")
        for child in member.person.children
    ]


def asked_child(children: list[KnownChild]) -> KnownChild | None:
    """Return the child of the request, else the first that may book, else the first.

    A child that is not the household's is answered like one that does not exist.
    """
    wanted = request.values.get("child")
    if wanted is not None:
        found = next((known for known in children if known.child.id == wanted), None)
        if found is None:
            raise NotFound
        return found
    today = tokyo_day(kit().clock())
    bookable = (known for known in children if standing(known.child, today=today) is None)
    return next(bookable, children[0] if children else None)


def asked_day(db: Connection, facility: Facility) -> date:
    """Return the day of the request, within the days there are slots for."""
    now = kit().clock()
    today = tokyo_day(now)
    try:
        day = date.fromisoformat(request.values.get("day", ""))
    except ValueError:
        day = next_free_day(db, facility.code, now=now) or today
    return min(max(day, today), last_slot_day(db) or today)


def asked_hours() -> tuple[int, ...]:
    """Return the ticked hours, without repetition; whatever is no hour of a day is left out."""
    values = {value for value in request.values.getlist("hour")[:24] if value in _HOURS}
    return tuple(sorted(int(value) for value in values))


def allowance(db: Connection, member: Member, child_id: str, day: date) -> Allowance:
    """Return what a child may still use in the month of a day."""
    cap = rules().monthly_hours_in(member.household.municipality_code)
    return Allowance(cap, max(0, cap - hours_used(db, child_id, day)))


def refusal_text(refusal: BookingRefusedError, child: str, say: Callable[..., str]) -> str:
    """Say why something cannot be booked, days written as the language does."""
    values = {
        name: dates.long_day(value, say) if isinstance(value, date) else value
        for name, value in refusal.values.items()
    }
    return say(f"refusal.{refusal.reason}", child=child, **values)


def week_of(day: date) -> list[date]:
    """Return Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=ahead) for ahead in range(7)]
