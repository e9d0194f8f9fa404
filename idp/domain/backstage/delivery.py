"""Delivering the outbox: claim a row, open it, write down how it went."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, null, or_, select, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.db.rows import change
from idp.domain.grants.logout import LogoutCall, build_logout_call
from idp.domain.grants.security_events import EventPush, build_event_push
from idp.domain.people.names import full_name
from idp.domain.people.sites import Site, find_site
from idp.domain.upkeep.outbox import BackchannelLogout, EventMessage, Fact, body_context
from idp.model.people import Account, AccountStatus
from idp.model.upkeep import OutboxKind, OutboxMessage, OutboxState
from idp.protocol.events import SecurityEvent

#: How long a worker may hold a row; a dead worker's rows are taken over after it.
LEASE = timedelta(minutes=2)
#: Waiting times between tries; after the last one the row has failed.
BACK_OFF = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)
_outbox: Any = OutboxMessage.__table__


@dataclass(frozen=True)
class DueMail:
    """A mail, opened: to whom, in which language, what it says."""

    id: UUID
    name: str
    address: str
    recipient: str
    language: str
    site: Site | None
    facts: dict[str, Fact]


@dataclass(frozen=True)
class DueCall:
    """A back-channel logout call, signed now."""

    id: UUID
    call: LogoutCall


@dataclass(frozen=True)
class DueEvent:
    """A security event, signed now."""

    id: UUID
    push: EventPush


@dataclass(frozen=True)
class Pointless:
    """Nothing to deliver any more: the row is dropped."""

    id: UUID
    problem: str


Due = DueMail | DueCall | DueEvent | Pointless


def claim_due(
    db: Session, *, kinds: Collection[OutboxKind] = tuple(OutboxKind), limit: int, now: datetime
) -> tuple[UUID, ...]:
    """Take rows that are due, oldest first; of two workers one gets a row.

    The condition in the UPDATE is the lock: it is asked again when the row is written.
    """
    due = db.scalars(
        select(OutboxMessage.id)
        .where(
            OutboxMessage.kind.in_(list(kinds)),
            OutboxMessage.state == OutboxState.QUEUED,
            OutboxMessage.next_try_at <= now,
            or_(OutboxMessage.lease_until.is_(None), OutboxMessage.lease_until <= now),
        )
        .order_by(OutboxMessage.next_try_at)
        .limit(limit)
    ).all()
    return tuple(row_id for row_id in due if _take(db, row_id, now=now))


def _take(db: Session, row_id: UUID, *, now: datetime) -> bool:
    taken = update(_outbox).where(
        _outbox.c.id == row_id,
        _outbox.c.state == OutboxState.QUEUED,
        or_(_outbox.c.lease_until.is_(None), _outbox.c.lease_until <= now),
    )
    values = {"lease_until": now + LEASE, "try_count": _outbox.c.try_count + 1}
    return change(db, taken.values(**values), {}) == 1


def open_due(db: Session, row_id: UUID, *, issuer: str, keys: Keyring, now: datetime) -> Due:
    """Read what a claimed row delivers; the address and language are today's."""
    row = db.get_one(OutboxMessage, row_id)
    if row.useless_after is not None and row.useless_after <= now:
        return Pointless(row_id, "too_late")
    if row.sealed_body is None:
        return Pointless(row_id, "no_body")
    body = json.loads(keys.sealer.unseal(row.sealed_body, context=body_context(row.id)))
    match row.kind:
        case OutboxKind.MAIL:
            return _open_mail(db, row, body)
        case OutboxKind.BACKCHANNEL_LOGOUT:
            return _open_call(db, row, body, issuer=issuer, keys=keys, now=now)
        case OutboxKind.SECURITY_EVENT:
            return _open_event(db, row, body, issuer=issuer, keys=keys, now=now)


def _open_call(
    db: Session,
    row: OutboxMessage,
    body: dict[str, Any],
    *,
    issuer: str,
    keys: Keyring,
    now: datetime,
) -> Due:
    assert row.client_id is not None
    assert row.account_id is not None
    ended = BackchannelLogout(row.client_id, UUID(body["session_id"]), row.account_id)
    call = build_logout_call(db, ended, issuer=issuer, keys=keys, now=now)
    return Pointless(row.id, "client_gone") if call is None else DueCall(row.id, call)


def _open_event(
    db: Session,
    row: OutboxMessage,
    body: dict[str, Any],
    *,
    issuer: str,
    keys: Keyring,
    now: datetime,
) -> Due:
    assert row.client_id is not None
    message = EventMessage(
        event=SecurityEvent(row.name),
        client_id=row.client_id,
        jti=body["jti"],
        account_id=row.account_id,
        household_id=UUID(body["household_id"]) if body["household_id"] else None,
    )
    push = build_event_push(
        db,
        message,
        details=body["details"],
        happened_at=row.created_at,
        issuer=issuer,
        keys=keys,
        now=now,
    )
    return Pointless(row.id, "not_to_be_told") if push is None else DueEvent(row.id, push)


def _open_mail(db: Session, row: OutboxMessage, body: dict[str, Any]) -> Due:
    account = db.get_one(Account, row.account_id)
    address = body["to"] or account.email
    if account.status is AccountStatus.CLOSED:
        return Pointless(row.id, "account_closed")
    if address is None:
        return Pointless(row.id, "no_address")
    return DueMail(
        id=row.id,
        name=row.name,
        address=address,
        recipient=full_name(account.family_name, account.given_name),
        language=account.locale,
        site=find_site(db, row.municipality_id or account.municipality_id, default_code=""),
        facts=body["facts"],
    )


def mark_sent(db: Session, row_id: UUID, *, now: datetime) -> None:
    """Write down that it left, and wipe what it said."""
    _finish(db, row_id, state=OutboxState.SENT, sent_at=now, sealed_body=None, last_problem=None)


def mark_failed(db: Session, row_id: UUID, problem: str) -> None:
    """Write down that the other side refused it for good; a mail's words are wiped.

    A call to a service keeps what it says, so that it can be tried again (deliveries).
    """
    kept = case((_outbox.c.kind == OutboxKind.MAIL, null()), else_=_outbox.c.sealed_body)
    _finish(db, row_id, state=OutboxState.FAILED, sealed_body=kept, last_problem=problem)


def mark_dropped(db: Session, row_id: UUID, problem: str) -> None:
    """Write down that it no longer mattered."""
    _finish(db, row_id, state=OutboxState.DROPPED, sealed_body=None, last_problem=problem)


def mark_later(db: Session, row_id: UUID, problem: str, *, now: datetime) -> None:
    """Try again after a growing pause; after the last one the row has failed."""
    tries = db.scalar(select(OutboxMessage.try_count).where(OutboxMessage.id == row_id)) or 1
    if tries > len(BACK_OFF):
        mark_failed(db, row_id, problem)
        return
    _finish(db, row_id, next_try_at=now + BACK_OFF[tries - 1], last_problem=problem)


def _finish(db: Session, row_id: UUID, **values: object) -> None:
    change(
        db,
        update(_outbox).where(_outbox.c.id == row_id).values(lease_until=None, **values),
        {},
    )
