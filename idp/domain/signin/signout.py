"""Signing out: of this browser, or everywhere; services are told by back-channel logout."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.security_events import tell_of_person
from idp.domain.signin.devices import distrust_devices
from idp.domain.signin.sessions import SignedIn, end_session, end_sessions_of
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.signin import SessionEnd
from idp.protocol.events import SecurityEvent


@dataclass(frozen=True)
class SignedOut:
    """What the page says and clears."""

    was_shared: bool


def sign_out(
    db: Session, person: SignedIn, *, actor: Actor, keys: Keyring, now: datetime
) -> SignedOut:
    """End the session and tell every service that took part in it; twice is harmless."""
    if end_session(db, person.session_id, SessionEnd.LOGOUT, keys=keys, now=now):
        _write_audit(db, person, "signout", actor=actor, now=now)
    return SignedOut(was_shared=person.shared_device)


def sign_out_everywhere(
    db: Session, person: SignedIn, *, actor: Actor, keys: Keyring, now: datetime
) -> SignedOut:
    """End all sessions of the person, this one too; no device skips the code any more."""
    end_sessions_of(db, person.account_id, SessionEnd.EVERYWHERE, keys=keys, now=now)
    distrust_devices(db, person.account_id)
    tell_of_person(db, SecurityEvent.SESSIONS_REVOKED, person.account_id, keys=keys, now=now)
    _write_audit(db, person, "signout.everywhere", actor=actor, now=now)
    return SignedOut(was_shared=person.shared_device)


def _write_audit(db: Session, person: SignedIn, name: str, *, actor: Actor, now: datetime) -> None:
    act = Act(name, subject_id=person.account_id, municipality_id=person.municipality_id)
    record(db, act, actor=actor, now=now)
