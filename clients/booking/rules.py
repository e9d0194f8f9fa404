"""The municipality's rules: hours a month, the fee, and which children may book."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from clients.kit.ages import first_day, last_day
from clients.kit.claims import Child, ChildStatus
from clients.kit.settings import SettingsError, refuse_unknown

_DEFAULT_MONTHLY_HOURS = 10
_DEFAULT_FEE_YEN = 300
_HOURS_RANGE = range(1, 161)
_WEEKS_RANGE = range(53)


class Refusal(StrEnum):
    """Why something cannot be booked or changed; the value is part of the text's key."""

    CHILD_ENDED = "child_ended"
    CHILD_LEFT = "child_left"
    TOO_YOUNG = "too_young"
    AFTER_LAST_DAY = "after_last_day"
    NO_HOURS = "no_hours"
    UNKNOWN_SLOT = "unknown_slot"
    PAST = "past"
    FULL = "full"
    SAME_HOUR = "same_hour"
    MONTH_USED_UP = "month_used_up"


class BookingRefusedError(Exception):
    """Nothing was booked. Raised, not returned, so that the transaction leaves no trace."""

    def __init__(self, reason: Refusal, **values: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


@dataclass(frozen=True)
class Rules:
    """What the municipality decides."""

    monthly_hours: int
    monthly_hours_by_municipality: Mapping[str, int]
    fee_yen_per_hour: int
    fictional_weeks: int

    def monthly_hours_in(self, municipality_code: str) -> int:
        """Return the hours a child of a municipality may use in a calendar month."""
        return self.monthly_hours_by_municipality.get(municipality_code, self.monthly_hours)


def read_rules(section: Mapping[str, Any]) -> Rules:
    """Read the section [booking].

    Raises:
        SettingsError: which key is wrong and what it may be.
    """
    table = dict(section)
    by_municipality = table.pop("monthly_hours_by_municipality", {})
    if not isinstance(by_municipality, Mapping):
        raise SettingsError("booking.monthly_hours_by_municipality must be a table of code = hours")
    rules = Rules(
        monthly_hours=_hours(table.pop("monthly_hours", _DEFAULT_MONTHLY_HOURS)),
        monthly_hours_by_municipality={
            code: _hours(value) for code, value in by_municipality.items()
        },
        fee_yen_per_hour=_yen(table.pop("fee_yen_per_hour", _DEFAULT_FEE_YEN)),
        fictional_weeks=_weeks(table.pop("fictional_weeks", 0)),
    )
    refuse_unknown(table, where="[booking]")
    return rules


def check_child(child: Child, day: date, *, today: date) -> None:
    """Check that a child may use the service on a day (A42).

    Raises:
        BookingRefusedError: CHILD_ENDED, CHILD_LEFT, TOO_YOUNG or AFTER_LAST_DAY.
    """
    last = last_day(child.birthdate)
    if child.status is ChildStatus.AGED_OUT or today > last:
        raise BookingRefusedError(Refusal.CHILD_ENDED)
    if child.status is not ChildStatus.ACTIVE:
        raise BookingRefusedError(Refusal.CHILD_LEFT)
    if day < first_day(child.birthdate):
        raise BookingRefusedError(Refusal.TOO_YOUNG, first=first_day(child.birthdate))
    if day > last:
        raise BookingRefusedError(Refusal.AFTER_LAST_DAY, last=last)


def standing(child: Child, *, today: date) -> Refusal | None:
    """Tell why a child may not book at all now; None when it may (or may soon)."""
    try:
        check_child(child, max(today, first_day(child.birthdate)), today=today)
    except BookingRefusedError as refusal:
        return refusal.reason
    return None


def _hours(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _HOURS_RANGE:
        raise SettingsError("booking.monthly_hours must be a whole number from 1 to 160")
    return value


def _yen(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingsError("booking.fee_yen_per_hour must be a whole number of yen, 0 or more")
    return value


def _weeks(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _WEEKS_RANGE:
        raise SettingsError("booking.fictional_weeks must be a whole number from 0 to 52")
    return value
