"""Token families: everything that came from one authorization, ended together."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, insert, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.db.rows import change
from idp.model.grants import TokenFamily

_family: Any = TokenFamily.__table__

_REVOKE = (
    update(_family)
    .where(_family.c.id == bindparam("family"), _family.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"), revoke_reason=bindparam("why"))
)
_NEW = insert(_family)


@dataclass(frozen=True, kw_only=True)
class NewFamily:
    """What a person let a client have, and how she had signed in."""

    client_id: str
    account_id: UUID
    #: The session it ends with; None where the tokens live on another device.
    session_id: UUID | None
    household_id: UUID | None
    scope: str
    acr: str
    amr: tuple[str, ...]
    authenticated_at: datetime
    #: offline_access was consented: it outlives the session.
    is_offline: bool
    #: What later tokens repeat: nonce, claims asked for by name.
    facts: dict[str, Any] = field(default_factory=dict)
    family_lifetime: timedelta = timedelta(days=90)


def open_family(db: Session, new: NewFamily, *, now: datetime) -> UUID:
    """Write an authorization that tokens can come from; return its id."""
    family_id = new_id(now=now)
    values = {
        "id": family_id,
        "client_id": new.client_id,
        "account_id": new.account_id,
        "session_id": new.session_id,
        "household_id": new.household_id,
        "scope": new.scope,
        "facts": new.facts,
        "acr": new.acr,
        "amr": list(new.amr),
        "authenticated_at": new.authenticated_at,
        "is_offline": new.is_offline,
        "created_at": now,
        "expires_at": now + new.family_lifetime,
    }
    change(db, _NEW, values)
    return family_id


def revoke_family(db: Session, family_id: UUID, reason: str, *, now: datetime) -> bool:
    """End a family: its refresh tokens, and its access tokens wherever they are asked about.

    Returns whether this call did it. Doing it twice is harmless.
    """
    return change(db, _REVOKE, {"family": family_id, "at": now, "why": reason}) == 1


def revoke_families_of_client(db: Session, client_id: str, reason: str, *, now: datetime) -> int:
    """End everything one client was granted."""
    return _revoke_where(db, TokenFamily.client_id == client_id, reason=reason, now=now)


def revoke_families_of_session(db: Session, session_id: UUID, reason: str, *, now: datetime) -> int:
    """End what hangs on a browser session; what was granted for offline use stays."""
    return _revoke_where(
        db,
        TokenFamily.session_id == session_id,
        TokenFamily.is_offline.is_(False),
        reason=reason,
        now=now,
    )


def revoke_families_of_consent(
    db: Session, account_id: UUID, client_id: str, reason: str, *, now: datetime
) -> int:
    """End what one client was granted by one person."""
    return _revoke_where(
        db,
        TokenFamily.account_id == account_id,
        TokenFamily.client_id == client_id,
        reason=reason,
        now=now,
    )


def _revoke_where(db: Session, *conditions: Any, reason: str, now: datetime) -> int:  # noqa: ANN401
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(TokenFamily)
        .where(*conditions, TokenFamily.revoked_at.is_(None))
        .values(revoked_at=now, revoke_reason=reason)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount
