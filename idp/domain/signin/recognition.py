"""Who is signed in: one question, one query, asked at every page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.base.secret import digest
from idp.db.rows import FoundRow, fetch_one
from idp.domain.documents.terms import has_to_agree
from idp.domain.people.acting import household_is_settled
from idp.domain.people.names import full_name
from idp.domain.signin.sessions import SignedIn, is_live
from idp.model.households import Membership, MembershipStatus
from idp.model.people import Account, AccountStatus, Door
from idp.model.signin import BrowserSession, SessionEnd

_session: Any = BrowserSession.__table__
_account: Any = Account.__table__
_membership: Any = Membership.__table__

_ROLE = (
    select(_membership.c.role)
    .where(
        _membership.c.account_id == _session.c.account_id,
        _membership.c.household_id == _session.c.household_id,
        _membership.c.status == MembershipStatus.ACTIVE,
    )
    .limit(1)
    .correlate(_session)
    .scalar_subquery()
)
_FIND = (
    select(
        _session.c.id,
        _session.c.account_id,
        _session.c.door,
        _session.c.acr,
        _session.c.amr,
        _session.c.authenticated_at,
        _session.c.last_seen_at,
        _session.c.idle_seconds,
        _session.c.expires_at,
        _session.c.shared_device,
        _session.c.household_id,
        _session.c.started_at,
        _session.c.ended_at,
        _account.c.status,
        _account.c.login_id,
        _account.c.access_valid_from,
        _account.c.family_name,
        _account.c.given_name,
        _account.c.locale,
        _account.c.municipality_id,
        _ROLE.label("role"),
    )
    .join(_account, _account.c.id == _session.c.account_id)
    .where(_session.c.token_digest == bindparam("digest"))
)


_FIND_STANDING = _FIND.add_columns(
    has_to_agree(_account, _session).label("has_to_agree"),
    household_is_settled(_session).label("household_is_settled"),
)


@dataclass(frozen=True)
class Standing:
    """Who is signed in, and what else is to be asked of her."""

    person: SignedIn
    has_to_agree: bool
    #: She has nothing to choose, and the session says for which household she acts.
    household_is_settled: bool


def find_session(db: Session, token: str, *, now: datetime) -> SignedIn | None:
    """Return who is signed in with this token, if the session lives and the person may go on.

    The person is looked at every time: a suspension ends access with the next request (SE-05).
    """
    db.flush()  # what this transaction has changed so far counts
    row = fetch_one(db, _FIND, {"digest": digest(token)})
    return None if row is None else _read_person(row, now=now)


def find_standing(db: Session, token: str, *, now: datetime) -> Standing | None:
    """Return as `find_session` who is signed in, and what stands between her and an answer."""
    db.flush()  # what this transaction has changed so far counts
    row = fetch_one(db, _FIND_STANDING, {"digest": digest(token), "now": now})
    person = None if row is None else _read_person(row, now=now)
    if row is None or person is None:
        return None
    return Standing(person, row.has_to_agree, row.household_is_settled)


def _read_person(row: FoundRow, *, now: datetime) -> SignedIn | None:
    if not _lives(row, now=now) or not _may_go_on(row, now=now):
        return None
    return SignedIn(
        session_id=row.id,
        account_id=row.account_id,
        door=Door(row.door),
        acr=row.acr,
        amr=tuple(row.amr),
        authenticated_at=row.authenticated_at,
        household_id=row.household_id,
        shared_device=row.shared_device,
        name=full_name(row.family_name, row.given_name),
        locale=row.locale,
        municipality_id=row.municipality_id,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        idle_time=timedelta(seconds=row.idle_seconds),
        role_label_key=f"common.role.{row.role.value}" if row.role else None,
    )


def _lives(row: FoundRow, *, now: datetime) -> bool:
    idle_until: datetime = row.last_seen_at + timedelta(seconds=row.idle_seconds)
    return row.ended_at is None and bool(now < row.expires_at) and now < idle_until


def _may_go_on(row: FoundRow, *, now: datetime) -> bool:
    """Answer as `find_usable` does, and that the session is no older than her access."""
    is_usable = row.status is AccountStatus.ACTIVE and row.login_id is not None
    starts: datetime = row.access_valid_from
    return is_usable and starts <= now and starts <= row.started_at


def has_run_out(db: Session, token: str, *, now: datetime) -> bool:
    """Whether this token's session ended by itself, so that the person is told why."""
    session = db.scalar(select(BrowserSession).where(BrowserSession.token_digest == digest(token)))
    if session is None:
        return False
    if session.ended_at is None:
        return not is_live(session, now=now)
    return session.end_reason in {SessionEnd.IDLE, SessionEnd.EXPIRED}
