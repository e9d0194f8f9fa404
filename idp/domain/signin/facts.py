"""The facts of a walk: what `protocol.interaction.next_step` decides from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.documents.agreements import outstanding
from idp.domain.grants import consents
from idp.domain.people.households import ActiveMembership, memberships_of
from idp.domain.signin.interactions import Walk
from idp.domain.signin.policy import StepKind, acr_of, strongest_step
from idp.domain.signin.second_step import open_step
from idp.domain.signin.sessions import SignedIn, choose_household
from idp.domain.signin.wishes import read_wishes, wanted_acr
from idp.model.people import Account, Door
from idp.protocol import acr
from idp.protocol.interaction import Facts


def compute_facts(db: Session, walk: Walk, person: SignedIn | None, *, now: datetime) -> Facts:
    """Return the facts of this walk for the person signed in, who is of the walk's door.

    While a second step is open, an older session of this browser does not count: it may be
    another person's.
    """
    wishes = read_wishes(walk.request, signed_in_id=person.account_id if person else None)
    if person is None or walk.is_half:
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
        second_step_missing=wishes.pages_allowed and _lacks_step(db, walk, person),
        terms_outstanding=_has_terms(db, person, now=now),
        household_choice_open=_is_choice_open(db, person, now=now),
        consent_outstanding=_lacks_consent(db, walk, person, now=now),
        consented_now=walk.consent_at is not None,
    )


def _is_half(db: Session, walk: Walk, *, now: datetime) -> bool:
    return walk.is_half and open_step(db, walk, now=now) is not None


def _lacks_step(db: Session, walk: Walk, person: SignedIn) -> bool:
    """Whether the service asks for more than the session has, and the person can give more.

    `acr_values` is voluntary (OIDC Core §3.1.2.1): what she cannot give is not demanded, and
    with prompt=none the request is answered with what there is.
    """
    wanted = wanted_acr(walk.request)
    if wanted is None or walk.second_step_at is not None:
        return False
    if acr.rank(person.acr) >= acr.rank(wanted):
        return False
    best = strongest_step(db, db.get_one(Account, person.account_id))
    return best is not StepKind.IMPOSSIBLE and acr.rank(acr_of(best)[0]) > acr.rank(person.acr)


def _has_terms(db: Session, person: SignedIn, *, now: datetime) -> bool:
    if person.door is Door.STAFF or person.municipality_id is None:
        return False
    shown = outstanding(
        db, person.account_id, person.municipality_id, session_id=person.session_id, now=now
    )
    return len(shown) > 0


def _is_choice_open(db: Session, person: SignedIn, *, now: datetime) -> bool:
    """Whether the person acts for several households and has not said for which."""
    memberships = memberships_of(db, person.account_id, now=now)
    return len(memberships) > 1 and person.household_id not in _ids(memberships)


def settle_household(db: Session, person: SignedIn, *, now: datetime) -> None:
    """Write the household of a person who has exactly one, or none any more, into the session."""
    memberships = memberships_of(db, person.account_id, now=now)
    ids = _ids(memberships)
    if len(ids) <= 1 and person.household_id not in (ids or {None}):
        choose_household(db, person.session_id, memberships[0].household_id if ids else None)


def _ids(memberships: tuple[ActiveMembership, ...]) -> frozenset[UUID]:
    return frozenset(each.household_id for each in memberships)


def _lacks_consent(db: Session, walk: Walk, person: SignedIn, *, now: datetime) -> bool:
    if walk.client_id is None or walk.consent_at is not None:
        return False
    if walk.request.get("details") and not consents.is_first_party(db, walk.client_id):
        return True
    scope = str(walk.request.get("consent_scope") or walk.request.get("scope") or "")
    return consents.is_outstanding(db, person.account_id, walk.client_id, scope, now=now)
