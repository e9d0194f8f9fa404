"""The facts of a walk: what `protocol.interaction.next_step` decides from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.people.households import ActiveMembership, memberships_of
from idp.domain.signin.candidates import find_candidate
from idp.domain.signin.found_walks import FoundWalk
from idp.domain.signin.interactions import Walk
from idp.domain.signin.policy import StepKind, acr_of, strongest_step
from idp.domain.signin.recognition import Standing
from idp.domain.signin.second_step import open_step
from idp.domain.signin.sessions import SignedIn, choose_household
from idp.domain.signin.wishes import read_wishes, wanted_acr
from idp.model.people import Door
from idp.protocol import acr
from idp.protocol.interaction import Facts
from idp.protocol.scope import split_scope


def compute_facts(
    db: Session,
    found: FoundWalk,
    standing: Standing | None,
    *,
    consented: frozenset[str],
    now: datetime,
) -> Facts:
    """Return the facts of this walk for the person signed in, who is of the walk's door.

    While a second step is open, an older session of this browser does not count: it may be
    another person's. `consented` are the scopes of the walk that need no question.
    """
    walk, person = found.walk, standing.person if standing else None
    wishes = read_wishes(walk.request, signed_in_id=person.account_id if person else None)
    if standing is None or person is None or walk.is_half:
        return Facts(
            wishes=wishes,
            now=now,
            denied=walk.denied_at is not None,
            password_verified=_is_half(db, walk, now=now),
        )
    return Facts(
        wishes=wishes,
        now=now,
        denied=walk.denied_at is not None,
        session_authenticated_at=person.authenticated_at,
        session_is_fresh=walk.session_id == person.session_id,
        second_step_missing=wishes.pages_allowed and _lacks_step(db, walk, person, now=now),
        terms_outstanding=standing.has_to_agree and person.door is not Door.STAFF,
        household_choice_open=_is_choice_open(db, standing, now=now),
        consent_outstanding=_lacks_consent(found, consented),
        consented_now=walk.consent_at is not None,
    )


def wanted_scopes(walk: Walk) -> frozenset[str]:
    """Return the scopes that the person may have to be asked for."""
    return split_scope(str(walk.request.get("consent_scope") or walk.request.get("scope") or ""))


def _is_half(db: Session, walk: Walk, *, now: datetime) -> bool:
    return walk.is_half and open_step(db, walk, now=now) is not None


def _lacks_step(db: Session, walk: Walk, person: SignedIn, *, now: datetime) -> bool:
    """Whether the service asks for more than the session has, and the person can give more.

    `acr_values` is voluntary (OIDC Core §3.1.2.1): what she cannot give is not demanded, and
    with prompt=none the request is answered with what there is.
    """
    wanted = wanted_acr(walk.request)
    if wanted is None or walk.second_step_at is not None:
        return False
    if acr.rank(person.acr) >= acr.rank(wanted):
        return False
    candidate = find_candidate(db, person.account_id, now=now)
    best = StepKind.IMPOSSIBLE if candidate is None else strongest_step(candidate)
    return best is not StepKind.IMPOSSIBLE and acr.rank(acr_of(best)[0]) > acr.rank(person.acr)


def _is_choice_open(db: Session, standing: Standing, *, now: datetime) -> bool:
    """Whether the person acts for several households and has not said for which."""
    if standing.household_is_settled:
        return False
    memberships = memberships_of(db, standing.person.account_id, now=now)
    return len(memberships) > 1 and standing.person.household_id not in _ids(memberships)


def settle_household(db: Session, person: SignedIn, *, now: datetime) -> bool:
    """Write the household of a person who has exactly one, or none any more, into the session.

    Tell whether anything was written.
    """
    memberships = memberships_of(db, person.account_id, now=now)
    ids = _ids(memberships)
    if len(ids) > 1 or person.household_id in (ids or {None}):
        return False
    choose_household(db, person.session_id, memberships[0].household_id if ids else None)
    return True


def _ids(memberships: tuple[ActiveMembership, ...]) -> frozenset[UUID]:
    return frozenset(each.household_id for each in memberships)


def _lacks_consent(found: FoundWalk, consented: frozenset[str]) -> bool:
    walk, client = found.walk, found.client
    if walk.client_id is None or walk.consent_at is not None:
        return False
    if client is None:
        return True
    if walk.request.get("details") and not client.is_consented:
        return True
    return not wanted_scopes(walk) <= consented
