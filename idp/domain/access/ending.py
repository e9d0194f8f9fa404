"""What hangs on a person's access: sessions, tokens, mailed secrets; ended together."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.security_events import tell_of_person
from idp.domain.signin.sessions import end_session, end_sessions_of
from idp.model.grants import TokenFamily
from idp.model.signin import BrowserSession, OneTimeSecret, PasswordReset, SessionEnd
from idp.model.upkeep import OutboxMessage, OutboxState
from idp.protocol.events import SecurityEvent

#: Mails that carry a one-time secret: pointless once the secret is void.
_SECRET_MAILS = ("login_code", "password_link")


def end_all_access(
    db: Session, account_id: UUID, reason: SessionEnd, *, keys: Keyring, now: datetime
) -> None:
    """End every session and every token of a person, those without a session too."""
    end_sessions_of(db, account_id, reason, keys=keys, now=now)
    db.execute(
        update(TokenFamily)
        .where(TokenFamily.account_id == account_id, TokenFamily.revoked_at.is_(None))
        .values(revoked_at=now, revoke_reason=reason.value)
    )
    tell_of_person(db, SecurityEvent.SESSIONS_REVOKED, account_id, keys=keys, now=now)


def end_household_access(
    db: Session, account_id: UUID, household_id: UUID, *, keys: Keyring, now: datetime
) -> None:
    """End what a person holds for one household; services are told by back-channel logout.

    A session that named no household may have been used for any of them: it ends as well.
    """
    open_ids = db.scalars(
        select(BrowserSession.id).where(
            BrowserSession.account_id == account_id,
            BrowserSession.ended_at.is_(None),
            or_(
                BrowserSession.household_id == household_id,
                BrowserSession.household_id.is_(None),
            ),
        )
    ).all()
    for session_id in open_ids:
        end_session(db, session_id, SessionEnd.ACCESS_CHANGED, keys=keys, now=now)
    db.execute(
        update(TokenFamily)
        .where(
            TokenFamily.account_id == account_id,
            or_(TokenFamily.household_id == household_id, TokenFamily.household_id.is_(None)),
            TokenFamily.revoked_at.is_(None),
        )
        .values(revoked_at=now, revoke_reason=SessionEnd.ACCESS_CHANGED.value)
    )


def void_mailed_secrets(db: Session, account_id: UUID, *, now: datetime) -> None:
    """Make every code and link that was mailed so far useless, and drop those still waiting."""
    db.execute(
        update(OneTimeSecret)
        .where(
            OneTimeSecret.account_id == account_id,
            OneTimeSecret.used_at.is_(None),
            OneTimeSecret.superseded_at.is_(None),
        )
        .values(superseded_at=now)
    )
    db.execute(
        update(PasswordReset)
        .where(
            PasswordReset.account_id == account_id,
            PasswordReset.completed_at.is_(None),
            PasswordReset.expires_at > now,
        )
        .values(expires_at=now)
    )
    db.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.account_id == account_id,
            OutboxMessage.state == OutboxState.QUEUED,
            OutboxMessage.name.in_(_SECRET_MAILS),
        )
        .values(state=OutboxState.DROPPED, sealed_body=None)
    )
