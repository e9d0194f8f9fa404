"""Planned maintenance: plan it, end it, know of it on every page (B43)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.text import has_control
from idp.db.cache import cache_behind, cache_of
from idp.db.errors import UNAVAILABLE
from idp.db.rows import fetch_all
from idp.db.session import Sessions, reading
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.upkeep import MaintenanceWindow

#: What another process planned is known here after so long at most.
FRESH_FOR = timedelta(seconds=15)
#: A week before, unless the plan says something else.
ANNOUNCED_BEFORE = timedelta(days=7)
#: Longer is no maintenance.
LONGEST = timedelta(days=7)
LONGEST_NOTE = 200

_windows: Any = MaintenanceWindow.__table__
_COMING = (
    select(
        _windows.c.id,
        _windows.c.starts_at,
        _windows.c.ends_at,
        _windows.c.announced_at,
        _windows.c.note_ja,
        _windows.c.note_en,
    )
    .where(_windows.c.ended_at.is_(None), _windows.c.ends_at > bindparam("now"))
    .order_by(_windows.c.starts_at, _windows.c.id)
)


class MaintenanceFault(StrEnum):
    """Why maintenance was not planned."""

    ORDER = "maintenance_order"
    OVER = "maintenance_over"
    TOO_LONG = "maintenance_too_long"
    NOTE = "maintenance_note"


@dataclass(frozen=True)
class Plan:
    """When nobody can sign in, from when on pages say so, and what they say beside it."""

    starts_at: datetime
    ends_at: datetime
    announced_at: datetime
    note_ja: str | None = None
    note_en: str | None = None


@dataclass(frozen=True)
class Window:
    """One planned time that is not over."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    announced_at: datetime
    note_ja: str | None
    note_en: str | None


@dataclass(frozen=True)
class _Known:
    windows: tuple[Window, ...]
    read_at: datetime


class _Holder:
    """What a process knows of the plans."""

    def __init__(self) -> None:
        self.known: _Known | None = None


def plan_maintenance(
    db: Session, plan: Plan, *, actor: Actor, now: datetime
) -> UUID | MaintenanceFault:
    """Plan a time in which nobody can sign in; plans may overlap, the last end counts."""
    fault = _fault_of(plan, now=now)
    if fault is not None:
        return fault
    row = MaintenanceWindow(
        id=new_id(now=now),
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        announced_at=min(plan.announced_at, plan.starts_at),
        note_ja=plan.note_ja,
        note_en=plan.note_en,
        created_at=now,
    )
    db.add(row)
    times = {"starts_at": plan.starts_at.isoformat(), "ends_at": plan.ends_at.isoformat()}
    record(db, Act("maintenance.planned", subject_id=row.id, detail=times), actor=actor, now=now)
    cache_of(db, _Holder).known = None
    return row.id


def _fault_of(plan: Plan, *, now: datetime) -> MaintenanceFault | None:
    if plan.ends_at <= plan.starts_at:
        return MaintenanceFault.ORDER
    if plan.ends_at <= now:
        return MaintenanceFault.OVER
    if plan.ends_at - plan.starts_at > LONGEST:
        return MaintenanceFault.TOO_LONG
    notes = [note for note in (plan.note_ja, plan.note_en) if note is not None]
    if not all(len(note) <= LONGEST_NOTE and not has_control(note) for note in notes):
        return MaintenanceFault.NOTE
    return None


def end_maintenance(db: Session, window_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Call a plan off, or open again at once; say whether it was still to come or running."""
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(MaintenanceWindow)
        .where(
            MaintenanceWindow.id == window_id,
            MaintenanceWindow.ended_at.is_(None),
            MaintenanceWindow.ends_at > now,
        )
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        return False
    has_begun = db.get_one(MaintenanceWindow, window_id).starts_at <= now
    name = "maintenance.ended" if has_begun else "maintenance.called_off"
    record(db, Act(name, subject_id=window_id), actor=actor, now=now)
    cache_of(db, _Holder).known = None
    return True


def list_windows(db: Session, *, now: datetime) -> tuple[Window, ...]:
    """Return what is planned or running, the earliest first."""
    return tuple(
        Window(
            id=row.id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            announced_at=row.announced_at,
            note_ja=row.note_ja,
            note_en=row.note_en,
        )
        for row in fetch_all(db, _COMING, {"now": now})
    )


def known_windows(sessions: Sessions, *, now: datetime) -> tuple[Window, ...]:
    """Return what this process knows of the plans, read again when that is some seconds old.

    A plan that is running outlives a database that is stopped for the work; otherwise the
    failure is the caller's, who needs the database too.
    """
    holder = cache_behind(sessions, _Holder)
    known = holder.known
    if known is not None and timedelta() <= now - known.read_at < FRESH_FOR:
        return known.windows
    try:
        with reading(sessions) as fresh:
            windows = list_windows(fresh, now=now)
    except UNAVAILABLE:
        if known is None or find_running(known.windows, now=now) is None:
            raise
        windows = known.windows
    holder.known = _Known(windows, now)
    return windows


def find_running(windows: Sequence[Window], *, now: datetime) -> Window | None:
    """Return the plan that keeps the provider closed longest from now on, if one does."""
    running = [window for window in windows if window.starts_at <= now < window.ends_at]
    return max(running, key=lambda window: window.ends_at, default=None)


def find_announced(windows: Sequence[Window], *, now: datetime) -> Window | None:
    """Return what every page tells: the running plan, or the next one that may be told."""
    running = find_running(windows, now=now)
    if running is not None:
        return running
    told = [window for window in windows if window.announced_at <= now < window.ends_at]
    return min(told, key=lambda window: window.starts_at, default=None)
