"""Limits: failures counted by purpose and subject, across flows, devices, and restarts.

Every try is counted before it is evaluated (`reserve`), in a transaction that is committed
first; a right answer gives the try back. So parallel tries cannot slip past a limit, and a
crash between counting and evaluating costs a try instead of giving one away.

Every block ends by itself. Which counters a flow uses is said by the flow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, case, delete, or_, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.db.upsert import insert_into
from idp.model.signin import FailureCount


@dataclass(frozen=True)
class Limit:
    """How many failures one window takes, and how long the pause is that follows.

    Without a pause of its own the block lasts until the window ends. A pause grows with every
    block in a row up to `longest_pause`. With `restarts` the count begins anew after a block
    (five fresh tries after a lock); without, the next failure in the same window blocks again.
    """

    window: str
    length: timedelta
    count: int
    pause: timedelta | None = None
    longest_pause: timedelta | None = None
    restarts: bool = False


@dataclass(frozen=True)
class Counter:
    """What is counted: wrong passwords of one account from one place, for example."""

    purpose: str
    subject: str
    limit: Limit


@dataclass(frozen=True)
class Counted:
    """The try is taken: how many that makes, and the block it would start if it fails."""

    count: int
    remaining: int
    blocked_until: datetime | None
    #: How many blocks in a row, this one included.
    block_count: int


@dataclass(frozen=True)
class Blocked:
    """No try is taken before this moment."""

    until: datetime
    block_count: int


def reserve(db: Session, counter: Counter, *, now: datetime) -> Counted | Blocked:
    """Count a try that is about to be evaluated, unless the subject is blocked.

    One statement checks and counts, so any number of parallel tries is counted once each.
    """
    row = db.execute(_upsert(db, counter, now=now)).one_or_none()
    if row is None:
        return _read_block(db, counter, now=now)
    limit = counter.limit
    if row.tries < limit.count:
        return Counted(row.tries, limit.count - row.tries, None, row.block_count)
    until = _block_end(limit, row, now=now)
    db.execute(
        update(FailureCount)
        .where(FailureCount.id == row.id)
        .values(blocked_until=until, block_count=row.block_count + 1)
        .execution_options(synchronize_session=False)
    )
    return Counted(row.tries, 0, until, row.block_count + 1)


def _upsert(db: Session, counter: Counter, *, now: datetime) -> Any:  # noqa: ANN401
    limit = counter.limit
    values = {
        "id": new_id(now=now),
        "purpose": counter.purpose,
        "subject": counter.subject,
        "window": limit.window,
        "count": 1,
        "window_started_at": now,
        "block_count": 0,
        "updated_at": now,
    }
    table = FailureCount
    is_over = table.window_started_at <= now - limit.length
    # A block that has ended begins the count anew, where the limit says so.
    is_new = or_(is_over, table.blocked_until.is_not(None)) if limit.restarts else is_over
    return (
        insert_into(db, table)
        .values(**values)
        .on_conflict_do_update(
            index_elements=[table.purpose, table.subject, table.window],
            set_={
                "count": case((is_new, 1), else_=table.count + 1),
                "window_started_at": case((is_over, now), else_=table.window_started_at),
                "block_count": case((is_over, 0), else_=table.block_count),
                "blocked_until": None,
                "updated_at": now,
            },
            where=or_(table.blocked_until.is_(None), table.blocked_until <= now),
        )
        .returning(
            table.id,
            table.count.label("tries"),
            table.block_count,
            table.window_started_at,
        )
        .execution_options(synchronize_session=False)
    )


def _block_end(limit: Limit, row: Any, *, now: datetime) -> datetime:  # noqa: ANN401
    if limit.pause is None:
        end: datetime = row.window_started_at + limit.length
        return end
    if limit.longest_pause is None:
        return now + limit.pause
    blocks_before: int = row.block_count
    return now + min(limit.pause * (blocks_before + 1), limit.longest_pause)


def _read_block(db: Session, counter: Counter, *, now: datetime) -> Blocked:
    row = db.execute(
        select(FailureCount.blocked_until, FailureCount.block_count).where(_is(counter))
    ).one_or_none()
    # Another transaction may have given the try back in between: then one moment is enough.
    if row is None or row.blocked_until is None:
        return Blocked(until=now, block_count=0)
    return Blocked(until=row.blocked_until, block_count=row.block_count)


def find_block(db: Session, counters: Sequence[Counter], *, now: datetime) -> Blocked | None:
    """Return the block that ends last among these, without counting anything."""
    if not counters:
        return None
    row = db.execute(
        select(FailureCount.blocked_until, FailureCount.block_count)
        .where(
            or_(*(_is(counter) for counter in counters)),
            FailureCount.blocked_until > now,
        )
        .order_by(FailureCount.blocked_until.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Blocked(row.blocked_until, row.block_count)


def reserve_all(
    db: Session, counters: Sequence[Counter], *, now: datetime
) -> tuple[Counted, ...] | Blocked:
    """Count a try against all of these, or against none of them if one is blocked."""
    counters = _in_order(counters)
    blocked = find_block(db, counters, now=now)
    if blocked is not None:
        return blocked
    taken: list[Counted] = []
    for counter in counters:
        outcome = reserve(db, counter, now=now)
        if isinstance(outcome, Blocked):
            give_back(db, counters[: len(taken)])
            return outcome
        taken.append(outcome)
    return tuple(taken)


def give_back(db: Session, counters: Sequence[Counter]) -> None:
    """Take back one reserved try each, and the block it had started."""
    for counter in _in_order(counters):
        is_full = FailureCount.count >= counter.limit.count
        blocks = case((is_full, FailureCount.block_count - 1), else_=FailureCount.block_count)
        db.execute(
            update(FailureCount)
            .where(_is(counter), FailureCount.count > 0)
            .values(count=FailureCount.count - 1, blocked_until=None, block_count=blocks)
            .execution_options(synchronize_session=False)
        )


def _in_order(counters: Sequence[Counter]) -> list[Counter]:
    """Rows are always locked in this order: two transactions never wait for each other."""
    return sorted(counters, key=lambda each: (each.purpose, each.subject, each.limit.window))


def forget(db: Session, purpose: str, subject: str) -> None:
    """Forget every failure of a subject: a right answer, or a finished reset (B38)."""
    _delete_in_order(db, FailureCount.purpose == purpose, FailureCount.subject == subject)


def forget_prefix(db: Session, purpose: str, prefix: str) -> None:
    """Forget the failures of every subject that begins so: a person from everywhere."""
    begins = FailureCount.subject.startswith(prefix, autoescape=True)
    _delete_in_order(db, FailureCount.purpose == purpose, begins)


def _delete_in_order(db: Session, *conditions: ColumnElement[bool]) -> None:
    ids = db.scalars(
        select(FailureCount.id)
        .where(*conditions)
        .order_by(FailureCount.purpose, FailureCount.subject, FailureCount.window)
        .with_for_update()
    ).all()
    db.execute(
        delete(FailureCount)
        .where(FailureCount.id.in_(ids))
        .execution_options(synchronize_session=False)
    )


def delete_old_counts(db: Session, *, before: datetime) -> int:
    """Remove counts that nobody has raised since then (housekeeping)."""
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        delete(FailureCount)
        .where(FailureCount.updated_at < before)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount


def _is(counter: Counter) -> Any:  # noqa: ANN401
    return and_(
        FailureCount.purpose == counter.purpose,
        FailureCount.subject == counter.subject,
        FailureCount.window == counter.limit.window,
    )
