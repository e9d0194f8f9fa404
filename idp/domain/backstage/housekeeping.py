"""Housekeeping: what has served its time goes, table by table (D26)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, delete, or_, select
from sqlalchemy.orm import Session

from idp.db.rows import change
from idp.domain.grants.cleanup import delete_ended_grants
from idp.domain.signin.limits import ACTIVATION_FACT
from idp.model.people import Account, AccountStatus
from idp.model.signin import (
    BrowserSession,
    Device,
    FailureCount,
    Interaction,
    OneTimeSecret,
    PasswordReset,
)
from idp.model.upkeep import AuditEvent, MaintenanceWindow, OutboxMessage, OutboxState
from idp.model.upstream import LinkedIdentity, UpstreamRequest

_DAY = timedelta(days=1)
#: How long each kind of row is kept after its end; the docstrings of the tables name the same.
INTERACTIONS = _DAY
RESETS = _DAY
SECRETS = 7 * _DAY
COUNTERS = 7 * _DAY
#: Five wrong facts in all: a week's patience must not bring five more.
FACTS = 365 * _DAY
SESSIONS = 90 * _DAY
DEVICES = 365 * _DAY
OUTBOX = 365 * _DAY
AUDIT = 3 * 365 * _DAY
MAINTENANCE = 365 * _DAY


def clean_up(db: Session, *, now: datetime) -> int:
    """Delete every row whose time is over; return how many went. Doing it twice is harmless."""
    return delete_ended_grants(db, now=now) + sum(
        change(db, statement, {}) for statement in _statements(now)
    )


def _statements(now: datetime) -> tuple[Delete, ...]:
    session = BrowserSession
    closed = select(Account.id).where(Account.status == AccountStatus.CLOSED)
    return (
        _delete(Interaction, Interaction.expires_at <= now - INTERACTIONS),
        _delete(PasswordReset, PasswordReset.expires_at <= now - RESETS),
        _delete(OneTimeSecret, OneTimeSecret.expires_at <= now - SECRETS),
        _delete(
            FailureCount,
            FailureCount.updated_at <= now - COUNTERS,
            FailureCount.purpose != ACTIVATION_FACT,
        ),
        _delete(FailureCount, FailureCount.updated_at <= now - FACTS),
        _delete(
            session,
            or_(session.ended_at <= now - SESSIONS, session.expires_at <= now - SESSIONS),
        ),
        _delete(Device, Device.last_seen_at <= now - DEVICES),
        _delete(
            OutboxMessage,
            OutboxMessage.state != OutboxState.QUEUED,
            OutboxMessage.created_at <= now - OUTBOX,
        ),
        _delete(AuditEvent, AuditEvent.at <= now - AUDIT),
        _delete(MaintenanceWindow, MaintenanceWindow.ends_at <= now - MAINTENANCE),
        _delete(UpstreamRequest, UpstreamRequest.expires_at <= now - INTERACTIONS),
        # A closed account keeps nobody from linking her card to her next one.
        _delete(LinkedIdentity, LinkedIdentity.account_id.in_(closed)),
    )


def _delete(table: Any, *conditions: ColumnElement[bool]) -> Delete:  # noqa: ANN401
    return delete(table).where(*conditions)
