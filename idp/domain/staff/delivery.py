"""Who has not started, and why: the work list behind "no mail came" (D14, D17)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from idp.domain.people.profiles import name_of
from idp.domain.staff.announcements import ISSUED
from idp.domain.staff.desk import Desk, note
from idp.domain.staff.standing import Stage, newest_notice_state, stage_of
from idp.model.households import Membership, MembershipStatus
from idp.model.people import Account, AccountStatus, Door
from idp.model.upkeep import OutboxMessage

PAGE_SIZE = 50


@dataclass(frozen=True)
class Waiting:
    """Someone who was issued an account and has not started."""

    account_id: UUID
    name: str
    kana: str
    email: str | None
    issued_at: datetime | None
    stage: Stage
    notice_count: int
    newest_notice_at: datetime | None
    #: Why the newest notice failed or still waits.
    problem: str | None
    try_count: int


@dataclass(frozen=True)
class WaitingPage:
    """One page of the work list, and the numbers above it."""

    people: tuple[Waiting, ...]
    total: int
    arrived: int
    #: How many of those who wait have an address, so that the notice can be sent again.
    reachable: int
    page: int
    page_count: int


def view_waiting(db: Session, desk: Desk, page: int, *, now: datetime) -> WaitingPage | None:
    """Return a page of those who have not started, the longest waiting first."""
    mine = (Account.municipality_id == desk.municipality_id, Account.door == Door.FAMILY)
    issued = who_waits(desk, now=now)
    total = _count(db, *issued)
    page_count = max(1, -(-total // PAGE_SIZE))
    if not 1 <= page <= page_count:
        return None
    rows = db.execute(
        select(Account, newest_notice_state())
        .where(*issued)
        .order_by(Account.issued_at, Account.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    note(db, desk, "mail_status.viewed", None, detail={"found": total}, now=now)
    return WaitingPage(
        people=tuple(_read(db, account, stage_of(db, account, newest)) for account, newest in rows),
        total=total,
        arrived=_count(db, *mine, Account.status == AccountStatus.ACTIVE),
        reachable=_count(db, *issued, Account.email.is_not(None)),
        page=page,
        page_count=page_count,
    )


def export_waiting(db: Session, desk: Desk, *, now: datetime) -> tuple[Waiting, ...]:
    """Return everyone who has not started, for a file; that it was taken is written down."""
    rows = db.execute(
        select(Account, newest_notice_state())
        .where(*who_waits(desk, now=now))
        .order_by(Account.issued_at, Account.id)
    ).all()
    note(db, desk, "mail_status.exported", None, detail={"found": len(rows)}, now=now)
    return tuple(_read(db, account, stage_of(db, account, newest)) for account, newest in rows)


def who_waits(desk: Desk, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of having been issued an account here and not having started.

    A proxy who was taken out, or whose period is over, has no household to start for.
    """
    somewhere = select(Membership.id).where(
        Membership.account_id == Account.id,
        Membership.status != MembershipStatus.ENDED,
        or_(Membership.valid_until.is_(None), Membership.valid_until > now),
    )
    return (
        Account.municipality_id == desk.municipality_id,
        Account.door == Door.FAMILY,
        Account.status == AccountStatus.ISSUED,
        somewhere.exists(),
    )


def _count(db: Session, *conditions: ColumnElement[bool]) -> int:
    return db.scalar(select(func.count()).select_from(Account).where(*conditions)) or 0


def _read(db: Session, account: Account, stage: Stage) -> Waiting:
    notices = db.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.account_id == account.id, OutboxMessage.name == ISSUED)
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
    ).all()
    newest = notices[0] if notices else None
    name = name_of(account)
    return Waiting(
        account_id=account.id,
        name=name.full,
        kana=name.kana,
        email=account.email,
        issued_at=account.issued_at,
        stage=stage,
        notice_count=len(notices),
        newest_notice_at=newest.created_at if newest else None,
        problem=newest.last_problem if newest else None,
        try_count=newest.try_count if newest else 0,
    )
