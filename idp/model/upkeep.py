"""Audit, outbox, notices and maintenance."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class OutboxKind(enum.StrEnum):
    """What kind of delivery a row is."""

    MAIL = "mail"
    BACKCHANNEL_LOGOUT = "backchannel_logout"
    SECURITY_EVENT = "security_event"


class OutboxState(enum.StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    SENT = "sent"
    #: The other side refused for good, or the tries are used up.
    FAILED = "failed"
    #: It no longer mattered (a code that expired, an account that closed).
    DROPPED = "dropped"


class AuditEvent(Base):
    """Who did what to whom, when, from where. Append-only, three years.

    Never a token, a code, a body or an address of a mailbox in `detail`.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_subject", "subject_id", "at"),
        Index("ix_audit_event_municipality", "municipality_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    #: `account.issued`, `signin.failed` …
    name: Mapped[str]
    actor_id: Mapped[UUID | None]
    #: account, client, cli or system
    actor_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    municipality_id: Mapped[UUID | None]
    client_id: Mapped[str | None]
    #: The peer's network address.
    address: Mapped[str | None]
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class OutboxMessage(Base):
    """Something that must leave the house: written with the act, delivered by the worker.

    `sealed_body` may hold secrets and is wiped once sent; calls to services that failed keep
    theirs, so that an administrator can have them tried again. `lease_until` is claimed by one
    conditional UPDATE, so that two workers never send one row at once. Sent rows stay a year.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (Index("ix_outbox_message_due", "state", "next_try_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[OutboxKind]
    #: The message's name (account_issued, login_code …), shown in the status.
    name: Mapped[str]
    state: Mapped[OutboxState] = mapped_column(default=OutboxState.QUEUED)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    client_id: Mapped[str | None]
    municipality_id: Mapped[UUID | None]
    #: A second row with the same key is not written.
    once_key: Mapped[str | None] = mapped_column(unique=True)
    sealed_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: After this moment sending makes no sense.
    useless_after: Mapped[datetime | None]
    try_count: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    #: A short reason written by us or the reply code of the server; never an address.
    last_problem: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class PendingNotice(Base):
    """That a service has something to check for a household (A31). Replaced in place."""

    __tablename__ = "pending_notice"
    __table_args__ = (UniqueConstraint("client_id", "household_id", "code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    code: Mapped[str]
    count: Mapped[int]
    updated_at: Mapped[datetime]


class MaintenanceWindow(Base):
    """A planned time in which nobody can sign in (B43). Gone a year after its end."""

    __tablename__ = "maintenance_window"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    #: From then on every page says so.
    announced_at: Mapped[datetime]
    #: What the pages say beside the times.
    note_ja: Mapped[str | None]
    note_en: Mapped[str | None]
    #: Somebody called it off, or the work was done sooner.
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
