"""The clock of the relying parties, and how moments are written down."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

Clock = Callable[[], datetime]

#: Japan has one zone and no summer time, so no time-zone database is needed.
TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")


def utc_now() -> datetime:
    """Return the current moment; the only reader of the clock in `clients/`."""
    return datetime.now(UTC)


def tokyo_day(moment: datetime) -> date:
    """Return the calendar day that a moment falls on in Japan."""
    return moment.astimezone(TOKYO).date()


def tokyo_hour(day: date, hour: int) -> datetime:
    """Return the moment at which an hour of a Japanese calendar day begins."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=TOKYO).astimezone(UTC)


def to_text(moment: datetime) -> str:
    """Write a moment so that the order of the texts is the order of the moments."""
    assert moment.tzinfo is not None, "naive moments are a mistake"
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote."""
    return datetime.fromisoformat(text)
