"""The audit log: who did what to whom, written in the same transaction as the act."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.db.rows import change
from idp.model.upkeep import AuditEvent

_events: Any = AuditEvent.__table__
_INSERT = insert(_events)
_NOTHING: Mapping[str, str | int | bool] = MappingProxyType({})


@dataclass(frozen=True)
class Actor:
    """Who acts: an account, a client, the command line or the system itself."""

    #: account, visitor, client, registrant, cli, seed or system
    kind: str
    account_id: UUID | None = None
    #: The peer's network address, where there is one.
    address: str | None = None
    client_id: str | None = None


#: What happens by itself (housekeeping, an expiry).
SYSTEM = Actor(kind="system")
#: Whoever has a shell on the server.
COMMAND_LINE = Actor(kind="cli")
#: What fills the demonstration.
SEED = Actor(kind="seed")


@dataclass(frozen=True)
class Act:
    """What happened. `detail` holds ids, counts and reason keys, never secrets or addresses."""

    name: str
    subject_id: UUID | None = None
    municipality_id: UUID | None = None
    client_id: str | None = None
    reason: str | None = None
    detail: Mapping[str, str | int | bool] = field(default_factory=lambda: _NOTHING)


def record(db: Session, act: Act, *, actor: Actor, now: datetime) -> None:
    """Write one audit row; without it the act does not happen (same transaction)."""
    change(
        db,
        _INSERT,
        {
            "id": new_id(now=now),
            "at": now,
            "name": act.name,
            "actor_id": actor.account_id,
            "actor_kind": actor.kind,
            "subject_id": act.subject_id,
            "municipality_id": act.municipality_id,
            "client_id": act.client_id or actor.client_id,
            "address": actor.address,
            "reason": act.reason,
            "detail": dict(act.detail),
        },
    )
