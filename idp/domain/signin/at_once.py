"""A request of a person who is signed in: is there nothing left to do but to answer it?

Almost every request is like this: a service asks again, or a second service asks. It is
answered where it arrives, without a walk; whatever needs a page or a write goes through one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.db.rows import FoundRow, fetch_one
from idp.domain.documents.terms import has_to_agree
from idp.domain.people.acting import household_is_settled
from idp.domain.signin.sessions import SignedIn
from idp.domain.signin.wishes import read_wishes, wanted_acr
from idp.model.people import Account, AccountStatus, Door
from idp.model.signin import BrowserSession
from idp.protocol import acr
from idp.protocol.interaction import Answer, Facts, Refuse, Wishes, next_step

_session: Any = BrowserSession.__table__
_account: Any = Account.__table__

_STANDING = (
    select(
        _session.c.household_id,
        _session.c.acr,
        _session.c.authenticated_at,
        _session.c.started_at,
        _session.c.last_seen_at,
        _session.c.idle_seconds,
        _session.c.expires_at,
        _session.c.ended_at,
        _account.c.status,
        _account.c.login_id,
        _account.c.access_valid_from,
        has_to_agree(_account, _session).label("has_to_agree"),
        household_is_settled(_session).label("household_is_settled"),
    )
    .join(_account, _account.c.id == _session.c.account_id)
    .where(_session.c.id == bindparam("session"))
)


def find_end_at_once(
    db: Session,
    request: Mapping[str, Any],
    person: SignedIn | None,
    *,
    consent_outstanding: bool,
    now: datetime,
) -> Answer | Refuse | None:
    """Return how the request ends without a page, or None: it needs a walk.

    `request` is what a walk would keep. Decided by the same `next_step`, from the same facts;
    the person is looked at once more, since the guard may have seen her before a change.
    """
    if person is not None and person.door is Door.STAFF:
        person = None
    wishes = read_wishes(request, signed_in_id=person.account_id if person else None)
    if person is None:
        return None if wishes.pages_allowed else _end(Facts(wishes=wishes, now=now))
    if request.get("details") or _may_need_second_step(request, wishes, person):
        return None
    row = fetch_one(db, _STANDING, {"session": person.session_id, "now": now})
    if row is None or not _is_as_seen(row, person, now=now):
        return None
    return _end(
        Facts(
            wishes=wishes,
            now=now,
            session_authenticated_at=row.authenticated_at,
            terms_outstanding=row.has_to_agree,
            consent_outstanding=consent_outstanding,
        )
    )


def _end(facts: Facts) -> Answer | Refuse | None:
    step = next_step(facts)
    return step if isinstance(step, Answer | Refuse) else None


def _may_need_second_step(request: Mapping[str, Any], wishes: Wishes, person: SignedIn) -> bool:
    """Whether more is asked for than the session has; the walk knows if she can give more."""
    wanted = wanted_acr(request)
    return wishes.pages_allowed and wanted is not None and acr.rank(person.acr) < acr.rank(wanted)


def _is_as_seen(row: FoundRow, person: SignedIn, *, now: datetime) -> bool:
    """Whether session and person stand as the guard saw them, and the household is settled."""
    idle_until: datetime = row.last_seen_at + timedelta(seconds=row.idle_seconds)
    lives = row.ended_at is None and now < row.expires_at and now < idle_until
    is_usable = row.status is AccountStatus.ACTIVE and row.login_id is not None
    return (
        lives
        and is_usable
        and row.access_valid_from <= min(now, row.started_at)
        and (row.authenticated_at, row.acr) == (person.authenticated_at, person.acr)
        and row.household_id == person.household_id
        and row.household_is_settled
    )
