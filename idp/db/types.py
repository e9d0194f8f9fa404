"""Column types that refuse what the database would silently bend."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

#: JSON that PostgreSQL stores parsed.
Json = JSON().with_variant(JSONB(), "postgresql")

#: A SHA-256 or HMAC-SHA-256 value.
Digest = LargeBinary(32)


#: SQLite sorts moments as text, so all are as long as each other.
_LENGTH = len("2026-04-01 09:30:00.000000")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC; a naive datetime is a bug and refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ANN401
        """Write SQLite's text in one step: some statements bind the same moment six times."""
        return _write_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, kind: object) -> Any:  # noqa: ANN401
        """Read SQLite's text in one step."""
        return _read_text if dialect.name == "sqlite" else super().result_processor(dialect, kind)

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> Any:  # noqa: ANN401
        """Refuse naive values."""
        return None if value is None else _utc(value)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return the moment in UTC, whatever zone the connection speaks."""
        return None if value is None else value.astimezone(UTC)


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime reached the database")
    return value.astimezone(UTC)


def _write_text(value: datetime | None) -> str | None:
    """Return UTC without its zone, which SQLite does not keep: `2026-04-01 09:30:00.000000`."""
    return None if value is None else _text_of(_utc(value))


@lru_cache(maxsize=256)
def _text_of(moment: datetime) -> str:
    """Write a moment in UTC; one request has one present moment, and binds it again and again."""
    return moment.isoformat(" ", "microseconds")[:_LENGTH]


def _read_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")
