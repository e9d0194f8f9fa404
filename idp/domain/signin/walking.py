"""The state of a walk, looked at once: who is signed in, what is known, what comes next."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.consents import consented_among
from idp.domain.signin.candidates import find_candidate
from idp.domain.signin.code_mails import has_code, send_code
from idp.domain.signin.facts import compute_facts, settle_household, wanted_scopes
from idp.domain.signin.found_walks import FoundWalk
from idp.domain.signin.interactions import STAFF, Walk, complete_walk, record_step_up
from idp.domain.signin.policy import StepKind, strongest_step
from idp.domain.signin.recognition import Standing, find_standing
from idp.domain.signin.sessions import SignedIn
from idp.domain.signin.setup import Setup
from idp.model.people import Door
from idp.protocol.interaction import Answer, Code, Refuse, Step, next_step


@dataclass(frozen=True)
class WalkOver:
    """The walk was answered already: going back does not answer it twice."""


@dataclass(frozen=True)
class NextStep:
    """What the walk needs, and the person as she stands now."""

    step: Step
    person: SignedIn | None
    #: Scopes of the walk's service that need no question.
    consented: frozenset[str] = frozenset()


def look(
    db: Session, found: FoundWalk, session_token: str | None, *, setup: Setup, now: datetime
) -> NextStep | WalkOver:
    """Decide the next step; an answer or a refusal uses the walk up.

    `found` was found in this transaction. Of two tabs that ask at the same time one gets the
    answer (`complete_walk`).
    """
    walk = found.walk
    if walk.completed_at is not None:
        return WalkOver()
    standing = _standing_of(db, walk, session_token, now=now)
    person = standing.person if standing else None
    consented = _consented(db, found, person)
    step = next_step(compute_facts(db, found, standing, consented=consented, now=now))
    if isinstance(step, Answer | Refuse):
        household_id = person.household_id if isinstance(step, Answer) and person else None
        if not complete_walk(db, walk.id, household_id=household_id, now=now):
            return WalkOver()
    if isinstance(step, Code) and person is not None and not walk.is_half:
        _begin_step_up(db, walk, person, setup=setup, now=now)
    return NextStep(step, person, consented)


def _standing_of(
    db: Session, walk: Walk, session_token: str | None, *, now: datetime
) -> Standing | None:
    """Return who is signed in, if she came by the door of this walk."""
    standing = find_standing(db, session_token, now=now) if session_token else None
    if standing is None or (standing.person.door is Door.STAFF) != (walk.purpose is STAFF):
        return None
    if standing.household_is_settled or not settle_household(db, standing.person, now=now):
        return standing
    return find_standing(db, session_token, now=now) if session_token else None


def _consented(db: Session, found: FoundWalk, person: SignedIn | None) -> frozenset[str]:
    if found.client is None or person is None or found.walk.is_half:
        return frozenset()
    return consented_among(db, person.account_id, found.client, wanted_scopes(found.walk))


def _begin_step_up(
    db: Session, walk: Walk, person: SignedIn, *, setup: Setup, now: datetime
) -> None:
    """Ask the person signed in for a second step; the first mail goes out by itself."""
    record_step_up(db, walk.id, person.account_id)
    candidate = find_candidate(db, person.account_id, now=now)
    if candidate is None:
        return  # stopped in this very moment: the code's page sends her to the first step
    if strongest_step(candidate) is StepKind.MAIL and not has_code(db, walk.id):
        send_code(db, walk.id, candidate, rules=setup.codes, keys=setup.keys, now=now)
