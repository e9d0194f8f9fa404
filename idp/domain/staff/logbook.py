"""The audit log as staff may read it: their own municipality's rows, never to be changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from idp.domain.people.names import full_name
from idp.domain.staff.desk import Desk, note
from idp.model.people import Account, Door
from idp.model.upkeep import AuditEvent

PAGE_SIZE = 50
#: Acts for which staff type a reason; that of any other is a name of ours.
_TYPED = frozenset(
    {
        "account.closed",
        "account.email_corrected",
        "account.recovered_at_counter",
        "account.resumed",
        "account.suspended",
        "account.unlocked",
    }
)
#: Left out where the rows of one person are shown: each look at her page is one (it is logged).
_LOOKS = "person.viewed"


@dataclass(frozen=True)
class LoggedAct:
    """One row of the log, with the names of who did it and whom it concerns."""

    at: datetime
    name: str
    actor_kind: str
    actor_name: str | None
    subject_id: UUID | None
    subject_name: str | None
    address: str | None
    #: What somebody typed, to be shown as it stands.
    reason: str | None
    #: A reason of a closed set, to be shown in words.
    reason_name: str | None


@dataclass(frozen=True)
class LogPage:
    """One page of the log, the newest first."""

    acts: tuple[LoggedAct, ...]
    total: int
    page: int
    page_count: int


def view_log(db: Session, desk: Desk, page: int, *, now: datetime) -> LogPage | None:
    """Return a page of the municipality's log; None for one that is not there.

    That somebody read it is written down as well.
    """
    mine = AuditEvent.municipality_id == desk.municipality_id
    total = db.scalar(select(func.count()).select_from(AuditEvent).where(mine)) or 0
    page_count = max(1, -(-total // PAGE_SIZE))
    if not 1 <= page <= page_count:
        return None
    rows = db.scalars(
        select(AuditEvent)
        .where(mine)
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    note(db, desk, "audit.viewed", None, detail={"page": page}, now=now)
    return LogPage(_read(db, desk, rows), total, page, page_count)


def acts_about(db: Session, desk: Desk, account_id: UUID, *, limit: int) -> tuple[LoggedAct, ...]:
    """Return the newest rows about a person; the caller has checked that she is of this desk.

    Protection is left out: not everyone who may see the person may know of it (D3). That her
    page was looked at is left out too: the rest would drown in it.
    """
    rows = db.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.subject_id == account_id,
            AuditEvent.name != _LOOKS,
            AuditEvent.name.not_like("protection.%"),
        )
        .where(
            or_(
                AuditEvent.municipality_id == desk.municipality_id,
                AuditEvent.municipality_id.is_(None),
            )
        )
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(limit)
    ).all()
    return _read(db, desk, rows)


def _read(db: Session, desk: Desk, rows: Iterable[AuditEvent]) -> tuple[LoggedAct, ...]:
    events = tuple(rows)
    people = {each for row in events for each in (row.actor_id, row.subject_id) if each}
    names = _names(db, desk, people)
    return tuple(
        LoggedAct(
            at=row.at,
            name=row.name,
            actor_kind=row.actor_kind,
            actor_name=names.get(row.actor_id) if row.actor_id else None,
            subject_id=row.subject_id if row.subject_id in names else None,
            subject_name=names.get(row.subject_id) if row.subject_id else None,
            address=row.address,
            reason=row.reason if row.name in _TYPED else None,
            reason_name=None if row.name in _TYPED else row.reason,
        )
        for row in events
    )


def _names(db: Session, desk: Desk, account_ids: set[UUID]) -> dict[UUID, str]:
    """Return the names this desk may read: its families, its colleagues, the provider's staff."""
    rows = db.execute(
        select(Account.id, Account.family_name, Account.given_name).where(
            Account.id.in_(account_ids),
            or_(
                Account.municipality_id == desk.municipality_id,
                Account.municipality_id.is_(None) & (Account.door == Door.STAFF),
            ),
        )
    )
    return {row[0]: full_name(row[1], row[2]) for row in rows}
