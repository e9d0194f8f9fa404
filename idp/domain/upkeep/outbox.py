"""The outbox: what must leave the house is written with the act and delivered later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.db.rows import change
from idp.model.upkeep import OutboxKind, OutboxMessage, OutboxState
from idp.protocol.events import SecurityEvent

_messages: Any = OutboxMessage.__table__
_INSERT = insert(_messages)

#: What a fact of a message may be; moments travel as ISO 8601 text.
Fact = str | int | bool | None


@dataclass(frozen=True)
class Mail:
    """A mail to one person, by the name of its text (texts.md §7.3).

    The worker looks up address and language when it sends, so a corrected address gets it.
    `to` overrides the address (a mail to an address that is not the account's yet).
    """

    name: str
    account_id: UUID
    facts: Mapping[str, Fact]
    municipality_id: UUID | None = None
    #: After this moment the mail is dropped unsent (a code that has expired).
    useless_after: datetime | None = None
    #: A second mail with the same key is not written.
    once_key: str | None = None
    client_id: str | None = None
    to: str | None = None


@dataclass(frozen=True)
class BackchannelLogout:
    """A logout token that a client must get (OIDC Back-Channel Logout §2.5)."""

    client_id: str
    session_id: UUID
    account_id: UUID


@dataclass(frozen=True)
class EventMessage:
    """A security event that a client must get, and whom it is about."""

    event: SecurityEvent
    client_id: str
    #: The same at every try (RFC 8935 §2.1).
    jti: str
    account_id: UUID | None = None
    household_id: UUID | None = None


def enqueue_mail(db: Session, mail: Mail, *, keys: Keyring, now: datetime) -> None:
    """Write a mail into the outbox; its facts are sealed, since a code may be among them."""
    body = {"facts": dict(mail.facts), "to": mail.to}
    _enqueue(
        db,
        {
            "kind": OutboxKind.MAIL,
            "name": mail.name,
            "account_id": mail.account_id,
            "municipality_id": mail.municipality_id,
            "client_id": mail.client_id,
            "once_key": mail.once_key,
            "useless_after": mail.useless_after,
        },
        body=body,
        keys=keys,
        now=now,
    )


def enqueue_backchannel_logout(
    db: Session, call: BackchannelLogout, *, keys: Keyring, now: datetime
) -> None:
    """Write a back-channel logout call; the worker signs the token when it calls."""
    _enqueue(
        db,
        {
            "kind": OutboxKind.BACKCHANNEL_LOGOUT,
            "name": "backchannel_logout",
            "account_id": call.account_id,
            "client_id": call.client_id,
            "once_key": f"logout:{call.session_id}:{call.client_id}",
        },
        body={"session_id": str(call.session_id)},
        keys=keys,
        now=now,
    )


def enqueue_event(
    db: Session, message: EventMessage, *, details: Mapping[str, Fact], keys: Keyring, now: datetime
) -> None:
    """Write a security event; the worker signs the token when it pushes it (RFC 8935)."""
    household_id = message.household_id
    _enqueue(
        db,
        {
            "kind": OutboxKind.SECURITY_EVENT,
            "name": message.event.value,
            "account_id": message.account_id,
            "client_id": message.client_id,
            "once_key": f"event:{message.jti}",
        },
        body={
            "jti": message.jti,
            "household_id": str(household_id) if household_id else None,
            "details": dict(details),
        },
        keys=keys,
        now=now,
    )


def _enqueue(
    db: Session,
    message: Mapping[str, object],
    *,
    body: Mapping[str, object],
    keys: Keyring,
    now: datetime,
) -> None:
    db.flush()  # whom it is for may have been written in this transaction
    message_id = new_id(now=now)
    sealed = keys.sealer.seal(
        json.dumps(body, ensure_ascii=False).encode(), context=body_context(message_id)
    )
    change(
        db,
        _INSERT,
        {
            **message,
            "id": message_id,
            "state": OutboxState.QUEUED,
            "sealed_body": sealed,
            "try_count": 0,
            "next_try_at": now,
            "created_at": now,
        },
    )


def body_context(message_id: UUID) -> str:
    """Return what the body of a message is sealed for."""
    return f"outbox:{message_id}"
