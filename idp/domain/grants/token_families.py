"""Token families: everything that came from one authorization, ended together."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, update
from sqlalchemy.orm import Session

from idp.db.rows import change
from idp.model.grants import TokenFamily

_family: Any = TokenFamily.__table__

_REVOKE = (
    update(_family)
    .where(_family.c.id == bindparam("family"), _family.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"), revoke_reason=bindparam("why"))
)


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
