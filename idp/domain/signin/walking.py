"""The state of a walk, looked at once: who is signed in, what is known, what comes next."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.signin.code_mails import has_code, send_code
from idp.domain.signin.facts import compute_facts, settle_household
from idp.domain.signin.interactions import (
    STAFF,
    Walk,
    complete_walk,
    record_household,
    record_step_up,
)
from idp.domain.signin.policy import StepKind, strongest_step
from idp.domain.signin.recognition import find_session
from idp.domain.signin.sessions import SignedIn
from idp.domain.signin.setup import Setup
from idp.model.people import Account, Door
from idp.protocol.interaction import Answer, Code, Refuse, Step, next_step


@dataclass(frozen=True)
class WalkOver:
    """The walk was answered already: going back does not answer it twice."""


@dataclass(frozen=True)
class NextStep:
    """What the walk needs, and the person as she stands now."""

    step: Step
    person: SignedIn | None


def look(
    db: Session, walk: Walk, session_token: str | None, *, setup: Setup, now: datetime
) -> NextStep | WalkOver:
    """Decide the next step; an answer or a refusal uses the walk up.

    Of two tabs that ask at the same time one gets the answer (`complete_walk`).
    """
    if walk.completed_at is not None:
        return WalkOver()
    person = _person_of(db, walk, session_token, now=now)
    step = next_step(compute_facts(db, walk, person, now=now))
    if isinstance(step, Answer | Refuse) and not complete_walk(db, walk.id, now=now):
        return WalkOver()
    if isinstance(step, Code) and person is not None and not walk.is_half:
        _begin_step_up(db, walk, person, setup=setup, now=now)
    if isinstance(step, Answer) and person is not None and person.household_id is not None:
        record_household(db, walk.id, person.household_id)
    return NextStep(step=step, person=person)


def _person_of(
    db: Session, walk: Walk, session_token: str | None, *, now: datetime
) -> SignedIn | None:
    """Return who is signed in, if she came by the door of this walk."""
    person = find_session(db, session_token, now=now) if session_token else None
    if person is None or (person.door is Door.STAFF) != (walk.purpose is STAFF):
        return None
    settle_household(db, person, now=now)
    return find_session(db, session_token, now=now) if session_token else None


def _begin_step_up(
    db: Session, walk: Walk, person: SignedIn, *, setup: Setup, now: datetime
) -> None:
    """Ask the person signed in for a second step; the first mail goes out by itself."""
    record_step_up(db, walk.id, person.account_id)
    account = db.get_one(Account, person.account_id)
    if strongest_step(db, account) is StepKind.MAIL and not has_code(db, walk.id):
        send_code(db, walk.id, account.id, rules=setup.codes, keys=setup.keys, now=now)
