"""A person's own sessions: the list of them, the end of one, the end of all others."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.signin.sessions import SignedIn, end_session, end_sessions_of, is_live
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.signin import BrowserSession, SessionEnd


@dataclass(frozen=True)
class ListedSession:
    """A session as its owner sees it in the list (SE-07)."""

    session_id: UUID
    device_label: str
    address: str | None
    started_at: datetime
    last_seen_at: datetime
    shared_device: bool
    is_current: bool


def end_own_session(
    db: Session, person: SignedIn, session_id: UUID, *, keys: Keyring, now: datetime
) -> bool:
    """End one of the person's own sessions; another's is as if it did not exist (SE-07)."""
    owner = db.scalar(select(BrowserSession.account_id).where(BrowserSession.id == session_id))
    if owner != person.account_id:
        return False
    return end_session(db, session_id, SessionEnd.LOGOUT, keys=keys, now=now)


def end_other_sessions(
    db: Session, person: SignedIn, *, actor: Actor, keys: Keyring, now: datetime
) -> int:
    """End every session of the person but the one she uses; return how many ended (A24)."""
    ended = end_sessions_of(
        db,
        person.account_id,
        SessionEnd.EVERYWHERE,
        keys=keys,
        now=now,
        keep=person.session_id,
    )
    act = Act(
        "signout.others",
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
        detail={"sessions": ended},
    )
    record(db, act, actor=actor, now=now)
    return ended


def list_sessions(db: Session, person: SignedIn, *, now: datetime) -> tuple[ListedSession, ...]:
    """Return the person's own live sessions, the newest first (SE-07)."""
    sessions = db.scalars(
        select(BrowserSession)
        .where(
            BrowserSession.account_id == person.account_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.expires_at > now,
        )
        .order_by(BrowserSession.started_at.desc(), BrowserSession.id.desc())
    )
    return tuple(
        ListedSession(
            session_id=each.id,
            device_label=each.device_label,
            address=each.address,
            started_at=each.started_at,
            last_seen_at=each.last_seen_at,
            shared_device=each.shared_device,
            is_current=each.id == person.session_id,
        )
        for each in sessions
        if is_live(each, now=now)
    )
