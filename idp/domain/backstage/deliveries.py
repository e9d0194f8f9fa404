"""What services have not taken: logout calls and security events, and trying them again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from idp.db.rows import change
from idp.domain.grants.clients import find_any_client
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.upkeep import OutboxKind, OutboxMessage, OutboxState
from idp.protocol.client import RegisteredClient

PAGE_SIZE = 50
_outbox: Any = OutboxMessage.__table__


@dataclass(frozen=True)
class Delivery:
    """A call that a service has not taken; whom it is about is not said."""

    id: UUID
    #: None: the service is gone.
    client: RegisteredClient | None
    client_id: str
    kind: OutboxKind
    #: `backchannel_logout`, or the short name of the event.
    name: str
    created_at: datetime
    try_count: int
    #: A short reason of ours; never an address.
    last_problem: str | None
    has_failed: bool
    #: None: it is not tried any more by itself.
    next_try_at: datetime | None


@dataclass(frozen=True)
class DeliveryPage:
    """One page of them, the newest first."""

    deliveries: tuple[Delivery, ...]
    total: int
    page: int
    page_count: int


def view_deliveries(db: Session, page: int) -> DeliveryPage | None:
    """Return a page of the calls that failed, or were tried and wait; None if there is none."""
    counted = select(func.count()).select_from(OutboxMessage).where(*_not_taken())
    total = db.scalar(counted) or 0
    page_count = max(1, -(-total // PAGE_SIZE))
    if not 1 <= page <= page_count:
        return None
    rows = db.scalars(
        select(OutboxMessage)
        .where(*_not_taken())
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    return DeliveryPage(tuple(_read(db, row) for row in rows), total, page, page_count)


def _not_taken() -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxMessage.kind != OutboxKind.MAIL,
        or_(
            OutboxMessage.state == OutboxState.FAILED,
            (OutboxMessage.state == OutboxState.QUEUED) & OutboxMessage.last_problem.is_not(None),
        ),
    )


def _read(db: Session, row: OutboxMessage) -> Delivery:
    assert row.client_id is not None  # only mails have none
    has_failed = row.state is OutboxState.FAILED
    return Delivery(
        id=row.id,
        client=find_any_client(db, row.client_id),
        client_id=row.client_id,
        kind=row.kind,
        name=row.name,
        created_at=row.created_at,
        try_count=row.try_count,
        last_problem=row.last_problem,
        has_failed=has_failed,
        next_try_at=None if has_failed else row.next_try_at,
    )


def try_again(db: Session, row_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Have a call tried now; tell whether there was one to try. A second click is harmless.

    One that had failed gets all its tries anew. What a worker holds at this moment stays its.
    """
    wanted = (
        update(_outbox)
        .where(
            _outbox.c.id == row_id,
            *_not_taken(),
            _outbox.c.sealed_body.is_not(None),
            or_(_outbox.c.lease_until.is_(None), _outbox.c.lease_until <= now),
        )
        .values(state=OutboxState.QUEUED, next_try_at=now, try_count=0)
    )
    if change(db, wanted, {}) != 1:
        return False
    row = db.execute(
        select(_outbox.c.client_id, _outbox.c.name).where(_outbox.c.id == row_id)
    ).one()
    act = Act("delivery.tried_again", client_id=row.client_id, detail={"what": row.name})
    record(db, act, actor=actor, now=now)
    return True


def try_all_again(db: Session, *, actor: Actor, now: datetime) -> int:
    """Have everything tried now that services have not taken; return how many there were."""
    ids = db.scalars(select(OutboxMessage.id).where(*_not_taken())).all()
    return sum(try_again(db, row_id, actor=actor, now=now) for row_id in ids)
