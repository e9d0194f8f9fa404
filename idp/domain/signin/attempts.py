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

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.db.rows import FoundRow, change, fetch_all
from idp.domain.signin import counting
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
    outcome = count_all(db, (counter,), now=now)
    return outcome if isinstance(outcome, Blocked) else outcome[0]


def reserve_all(
    db: Session, counters: Sequence[Counter], *, now: datetime
) -> tuple[Counted, ...] | Blocked:
    """Count a try against all of these, or against none of them if one is blocked."""
    return find_block(db, counters, now=now) or count_all(db, counters, now=now)


def count_all(
    db: Session, counters: Sequence[Counter], *, now: datetime
) -> tuple[Counted, ...] | Blocked:
    """Do as `reserve_all` for somebody who has just asked `find_block`."""
    counters = _in_order(counters)
    rows = {_place(row): row for row in _count(db, counters, now=now)}
    found = [(counter, rows.get(_key(counter))) for counter in counters]
    taken = [(counter, row) for counter, row in found if row is not None]
    counted = tuple(_begin_block(db, counter.limit, row, now=now) for counter, row in taken)
    if len(counted) == len(counters):
        return counted
    give_back(db, [counter for counter, _ in taken])
    # Another transaction may have given the try back in between: then one moment is enough.
    return find_block(db, counters, now=now) or Blocked(until=now, block_count=0)


def _count(db: Session, counters: Sequence[Counter], *, now: datetime) -> list[FoundRow]:
    """Raise the counts; a row that is blocked does not come back."""
    values: dict[str, object] = {"now": now}
    for number, counter in enumerate(counters):
        values |= _name(counter, number)
        values[f"id_{number}"] = new_id(now=now)
        values[f"over_{number}"] = now - counter.limit.length
    restarts = tuple(counter.limit.restarts for counter in counters)
    return fetch_all(db, counting.count_tries(db.get_bind().dialect.name, restarts), values)


def _begin_block(db: Session, limit: Limit, row: FoundRow, *, now: datetime) -> Counted:
    """Return the try that was taken; the last one of a limit begins the pause."""
    if row.tries < limit.count:
        return Counted(row.tries, limit.count - row.tries, None, row.block_count)
    until = _block_end(limit, row, now=now)
    block = {"row": row.id, "blocked_until": until, "block_count": row.block_count + 1}
    change(db, counting.BLOCK, block)
    return Counted(row.tries, 0, until, row.block_count + 1)


def _block_end(limit: Limit, row: FoundRow, *, now: datetime) -> datetime:
    if limit.pause is None:
        end: datetime = row.window_started_at + limit.length
        return end
    if limit.longest_pause is None:
        return now + limit.pause
    blocks_before: int = row.block_count
    return now + min(limit.pause * (blocks_before + 1), limit.longest_pause)


def find_block(db: Session, counters: Sequence[Counter], *, now: datetime) -> Blocked | None:
    """Return the block that ends last among these, without counting anything."""
    blocks = find_blocks(db, counters, now=now).values()
    return max(blocks, key=lambda each: each.until, default=None)


def find_blocks(
    db: Session, counters: Sequence[Counter], *, now: datetime
) -> dict[Counter, Blocked]:
    """Return which of these are blocked now, and until when."""
    if not counters:
        return {}
    names: dict[str, object] = {"now": now}
    for number, counter in enumerate(counters):
        names |= _name(counter, number)
    rows = fetch_all(db, counting.find_blocks(len(counters)), names)
    found = {_place(row): Blocked(row.blocked_until, row.block_count) for row in rows}
    return {each: found[_key(each)] for each in counters if _key(each) in found}


def give_back(db: Session, counters: Sequence[Counter]) -> None:
    """Take back one reserved try each, and the block it had started."""
    if not counters:
        return
    values: dict[str, object] = {}
    for number, counter in enumerate(counters):
        values |= _name(counter, number)
        values[f"full_{number}"] = counter.limit.count
    change(db, counting.give_back(len(counters)), values)


def _in_order(counters: Sequence[Counter]) -> list[Counter]:
    """Rows are always locked in this order: two transactions never wait for each other."""
    return sorted(counters, key=_key)


def _key(counter: Counter) -> tuple[str, str, str]:
    return counter.purpose, counter.subject, counter.limit.window


def _place(row: FoundRow) -> tuple[str, str, str]:
    return row.purpose, row.subject, row.window


def _name(counter: Counter, number: int) -> dict[str, object]:
    return {
        f"purpose_{number}": counter.purpose,
        f"subject_{number}": counter.subject,
        f"window_{number}": counter.limit.window,
    }


def forget(db: Session, purpose: str, subject: str) -> None:
    """Forget every failure of a subject: a right answer, or a finished reset (B38)."""
    forget_each(db, (purpose,), subject)


def forget_each(db: Session, purposes: Sequence[str], subject: str) -> None:
    """Forget the failures of a subject that were counted for several purposes."""
    change(db, counting.FORGET, {"purposes": list(purposes), "subject": subject})


def forget_prefix(db: Session, purpose: str, prefix: str) -> None:
    """Forget the failures of every subject that begins so: a person from everywhere."""
    change(db, counting.FORGET_PREFIX, {"purpose": purpose, "prefix": prefix})


def delete_old_counts(db: Session, *, before: datetime) -> int:
    """Remove counts that nobody has raised since then (housekeeping)."""
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        delete(FailureCount)
        .where(FailureCount.updated_at < before)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount
