"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

#: 10:00 in Japan on a working day in the busiest month.
START = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


class FrozenClock:
    """Stands where `idp.base.clock.utc_now` stands: call it for the time."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> datetime:
        """Move on and return the new time."""
        self.now += by
        return self.now

    def set(self, now: datetime) -> None:
        """Jump to this moment, which must be aware."""
        assert now.tzinfo is not None
        self.now = now.astimezone(UTC)
