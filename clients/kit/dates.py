"""Days and hours as families write them, in their language."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from clients.kit.clock import TOKYO

Say = Callable[..., str]

#: First day and key of the eras a child or a certificate can fall into, newest first.
_ERAS = ((date(2019, 5, 1), "reiwa"), (date(1989, 1, 8), "heisei"))


def long_day(day: date, say: Say) -> str:
    """2026年12月22日（令和8年）."""
    return say("date.long", era=_era(day, say), **_parts(day, say))


def plain_day(day: date, say: Say) -> str:
    """2026年12月22日."""
    return say("date.plain", **_parts(day, say))


def short_day(day: date, say: Say) -> str:
    """12月22日（火）."""
    return say("date.short", **_parts(day, say))


def month_day(day: date, say: Say) -> str:
    """12月22日."""
    return say("date.month_day", **_parts(day, say))


def hours(start: int, end: int, say: Say) -> str:
    """9時00分から11時00分."""
    return say("date.hours", start=start, end=end)


def moment(at: datetime, say: Say) -> str:
    """12月22日（火）15時42分."""
    local = at.astimezone(TOKYO)
    clock = say("date.clock", hour=local.hour, minute=f"{local.minute:02d}")
    return say("date.moment", day=short_day(local.date(), say), clock=clock)


def runs(hours_of_day: Sequence[int]) -> list[tuple[int, int]]:
    """Join neighbouring hours: 9, 10, 13 → (9, 11), (13, 14)."""
    joined: list[tuple[int, int]] = []
    for hour in sorted(set(hours_of_day)):
        if joined and joined[-1][1] == hour:
            joined[-1] = (joined[-1][0], hour + 1)
        else:
            joined.append((hour, hour + 1))
    return joined


def _parts(day: date, say: Say) -> dict[str, object]:
    return {
        "year": day.year,
        "month": day.month,
        "day": day.day,
        "month_name": say(f"date.months.{day.month}"),
        "weekday": say(f"date.weekdays.{day.isoweekday()}"),
    }


def _era(day: date, say: Say) -> str:
    for first, era in _ERAS:
        if day >= first:
            year = day.year - first.year + 1
            name = say(f"date.eras.{era}")
            return say("date.era_first" if year == 1 else "date.era", name=name, year=year)
    return str(day.year)
