"""Browser sessions: start one at every authentication, renew it, end it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, insert, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, new_token
from idp.db.rows import change
from idp.domain.grants.logout import forget_session
from idp.model.people import Door
from idp.model.signin import BrowserSession, SessionEnd

_session: Any = BrowserSession.__table__
_START = insert(_session)
#: Sets what it is given, in the session of this very person that nobody has ended.
_CHANGE = update(_session).where(
    _session.c.id == bindparam("session"),
    _session.c.account_id == bindparam("account"),
    _session.c.ended_at.is_(None),
)

#: `last_seen_at` is written at most so often: a page view seldom costs a write.
TOUCH_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True)
class SessionLimits:
    """How long sessions last (product.md "Values"); the views take it from the settings."""

    idle: timedelta = timedelta(minutes=60)
    absolute: timedelta = timedelta(hours=12)
    shared_idle: timedelta = timedelta(minutes=5)
    staff_idle: timedelta = timedelta(minutes=15)
    #: "Keep me signed in": idle and longest life in one; zero = not offered (B17).
    kept: timedelta = timedelta(0)


@dataclass(frozen=True)
class NewSession:
    """What a finished authentication says of the session it starts."""

    account_id: UUID
    door: Door
    acr: str
    amr: tuple[str, ...]
    device_label: str
    limits: SessionLimits
    shared_device: bool = False
    #: The person asked to stay signed in, and the installation offers it.
    is_kept: bool = False
    device_id: UUID | None = None
    #: Network prefix, for the history.
    address: str | None = None
    household_id: UUID | None = None


@dataclass(frozen=True)
class StartedSession:
    """The new session: `token` goes into the cookie, `session_id` is what others may see."""

    token: str
    session_id: UUID


@dataclass(frozen=True)
class SignedIn:
    """A live session and the person it belongs to."""

    session_id: UUID
    account_id: UUID
    door: Door
    acr: str
    amr: tuple[str, ...]
    authenticated_at: datetime
    household_id: UUID | None
    shared_device: bool
    name: str
    locale: str
    municipality_id: UUID | None
    last_seen_at: datetime
    expires_at: datetime
    #: Unused for so long, it ends.
    idle_time: timedelta
    #: Text key of what the person is in the household she acts for, if any.
    role_label_key: str | None = None


def start_session(db: Session, wanted: NewSession, *, now: datetime) -> StartedSession:
    """Start a session with a token nobody has seen before (SE-01, SE-02).

    The caller ends the session it replaces, if there is one.
    """
    token, session_id = new_token(), new_id(now=now)
    change(
        db,
        _START,
        {
            "id": session_id,
            "token_digest": digest(token),
            "account_id": wanted.account_id,
            "door": wanted.door.value,
            "acr": wanted.acr,
            "amr": list(wanted.amr),
            "authenticated_at": now,
            "last_seen_at": now,
            "idle_seconds": int(_idle_time(wanted).total_seconds()),
            "expires_at": now + _longest_life(wanted),
            "shared_device": wanted.shared_device,
            "device_id": wanted.device_id,
            "device_label": wanted.device_label,
            "address": wanted.address,
            "household_id": wanted.household_id,
            "started_at": now,
        },
    )
    return StartedSession(token=token, session_id=session_id)


def _idle_time(wanted: NewSession) -> timedelta:
    if wanted.shared_device:
        return wanted.limits.shared_idle
    if wanted.is_kept:
        return wanted.limits.kept
    return wanted.limits.staff_idle if wanted.door is Door.STAFF else wanted.limits.idle


def _longest_life(wanted: NewSession) -> timedelta:
    return wanted.limits.kept if wanted.is_kept else wanted.limits.absolute


def renew_session(
    db: Session, session_id: UUID, wanted: NewSession, *, now: datetime
) -> StartedSession | None:
    """Give the same person's session a new token and what she has just proved (SE-01).

    The id stays, so that services she is signed in to are not signed out; the old token is
    dead. None if the session has ended meanwhile.
    """
    return _change(
        db,
        session_id,
        wanted.account_id,
        now=now,
        acr=wanted.acr,
        amr=list(wanted.amr),
        authenticated_at=now,
        idle_seconds=int(_idle_time(wanted).total_seconds()),
        expires_at=now + _longest_life(wanted),
        shared_device=wanted.shared_device,
    )


def raise_session(
    db: Session, person: SignedIn, acr: str, amr: tuple[str, ...], *, now: datetime
) -> StartedSession | None:
    """Write a second step into a session: a new token, and the limits in time as they were."""
    return _change(db, person.session_id, person.account_id, now=now, acr=acr, amr=list(amr))


def _change(
    db: Session, session_id: UUID, account_id: UUID, *, now: datetime, **values: object
) -> StartedSession | None:
    token = new_token()
    changes = {"token_digest": digest(token), "last_seen_at": now} | values
    wanted = {"session": session_id, "account": account_id}
    return StartedSession(token, session_id) if change(db, _CHANGE, wanted | changes) else None


def is_live(session: BrowserSession, *, now: datetime) -> bool:
    """Whether neither the idle time nor the longest life is over, and nobody ended it."""
    idle_until = session.last_seen_at + timedelta(seconds=session.idle_seconds)
    return session.ended_at is None and now < session.expires_at and now < idle_until


def touch_session(db: Session, session_id: UUID, *, now: datetime) -> None:
    """Note that the person did something; writes at most once a minute.

    Only pages the person opened call it: background requests do not extend (SE-03).
    """
    db.execute(
        update(BrowserSession)
        .where(
            BrowserSession.id == session_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.last_seen_at <= now - TOUCH_INTERVAL,
        )
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


def is_touch_due(person: SignedIn, *, now: datetime) -> bool:
    """Whether `touch_session` would write: asked first, so that most views only read."""
    return person.last_seen_at <= now - TOUCH_INTERVAL


def choose_household(db: Session, session_id: UUID, household_id: UUID | None) -> None:
    """Remember for which household the person acts; the caller has checked that she may."""
    db.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session_id)
        .values(household_id=household_id)
        .execution_options(synchronize_session=False)
    )


def end_session(
    db: Session, session_id: UUID, reason: SessionEnd, *, keys: Keyring, now: datetime
) -> bool:
    """End a session and what services hold of it; say whether it was still open.

    Doing it twice is harmless: services are told once.
    """
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(BrowserSession)
        .where(BrowserSession.id == session_id, BrowserSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        return False
    forget_session(db, session_id, keys=keys, now=now)
    return True


def end_sessions_of(
    db: Session,
    account_id: UUID,
    reason: SessionEnd,
    *,
    keys: Keyring,
    now: datetime,
    keep: UUID | None = None,
) -> int:
    """End every open session of a person except `keep`; return how many ended (SE-04)."""
    open_ids = db.scalars(
        select(BrowserSession.id).where(
            BrowserSession.account_id == account_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.id != keep if keep else BrowserSession.id.is_not(None),
        )
    ).all()
    return sum(end_session(db, each, reason, keys=keys, now=now) for each in open_ids)
