"""A new password takes effect: what the old one opened is closed, and the person is told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.security_events import tell_of_person
from idp.domain.grants.token_families import revoke_family
from idp.domain.signin.candidates import lock_person
from idp.domain.signin.devices import distrust_devices
from idp.domain.signin.limits import forget_wrong_passwords
from idp.domain.signin.passwords import set_password
from idp.domain.signin.sessions import end_sessions_of
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.grants import TokenFamily
from idp.model.people import Account
from idp.model.signin import SessionEnd
from idp.protocol.events import SecurityEvent


def take_new_password(
    db: Session,
    account_id: UUID,
    hashed: str,
    *,
    keys: Keyring,
    now: datetime,
    keep: UUID | None = None,
) -> None:
    """Write the hash, end sessions and tokens (SE-04, RS-05), end the lock (B38), mail (PW-08).

    `keep` is the session the person is changing it in. A suspension is not touched.
    """
    lock_person(db, account_id)
    set_password(db, account_id, hashed, now=now)
    reason = SessionEnd.PASSWORD_CHANGED
    end_sessions_of(db, account_id, reason, keys=keys, now=now, keep=keep)
    _revoke_tokens(db, account_id, reason.value, now=now, keep=keep)
    distrust_devices(db, account_id)
    forget_wrong_passwords(db, account_id)
    _tell_services(db, account_id, keys=keys, now=now, keep=keep)
    account = db.get_one(Account, account_id)
    if account.email is not None:
        mail = Mail(
            name="password_changed",
            account_id=account_id,
            facts={"time": now.isoformat()},
            municipality_id=account.municipality_id,
        )
        enqueue_mail(db, mail, keys=keys, now=now)


def _tell_services(
    db: Session, account_id: UUID, *, keys: Keyring, now: datetime, keep: UUID | None
) -> None:
    changed = {"credential": "password"}
    event = SecurityEvent.CREDENTIAL_CHANGED
    tell_of_person(db, event, account_id, details=changed, keys=keys, now=now)
    if keep is None:
        tell_of_person(db, SecurityEvent.SESSIONS_REVOKED, account_id, keys=keys, now=now)


def _revoke_tokens(
    db: Session, account_id: UUID, reason: str, *, now: datetime, keep: UUID | None
) -> None:
    """End every family, those for offline use too: they were granted under the old password."""
    query = select(TokenFamily.id).where(
        TokenFamily.account_id == account_id, TokenFamily.revoked_at.is_(None)
    )
    if keep is not None:
        query = query.where(or_(TokenFamily.session_id.is_(None), TokenFamily.session_id != keep))
    for family_id in db.scalars(query.order_by(TokenFamily.id)).all():
        revoke_family(db, family_id, reason, now=now)
