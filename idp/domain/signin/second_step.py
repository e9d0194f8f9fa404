"""The second step of a walk: one try with a code, mailed or from an app, and what follows.

Like the password, a try is counted in one transaction (`take`) and judged in the next
(`judge`).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.people.accounts import verify_address
from idp.domain.signin import mailed_codes, totp
from idp.domain.signin.candidates import Candidate, find_candidate, lock_person
from idp.domain.signin.code_mails import CodeNotSent, CodeSent, send_code
from idp.domain.signin.code_text import read_code
from idp.domain.signin.completion import (
    Authentication,
    SignedInWhole,
    complete_sign_in,
    complete_step_up,
)
from idp.domain.signin.interactions import Walk
from idp.domain.signin.mailed_codes import NoCode, NoValidCode, TryTaken
from idp.domain.signin.policy import StepKind, strongest_step
from idp.domain.signin.setup import Setup
from idp.domain.signin.totp import TotpTaken
from idp.domain.signin.visitors import Visitor
from idp.domain.upkeep.audit import Act, record


@dataclass(frozen=True)
class WrongCode:
    """The code does not match, or was used before."""

    tries_left: int


@dataclass(frozen=True)
class Paused:
    """Too many wrong codes; ends by itself."""

    until: datetime


@dataclass(frozen=True)
class NoStepOpen:
    """This walk waits for no code: the dispatcher knows what it waits for (OT-13)."""


@dataclass(frozen=True)
class Taken:
    """A counted try, to be judged in the next transaction."""

    walk: Walk
    kind: StepKind
    account_id: UUID
    taken: TryTaken | TotpTaken


@dataclass(frozen=True)
class TypedCode:
    """What the form brought."""

    text: str
    trusts_device: bool = False


@dataclass(frozen=True)
class OpenStep:
    """The code that a walk waits for, and whose it is."""

    kind: StepKind
    person: Candidate


def open_step(db: Session, walk: Walk, *, now: datetime) -> OpenStep | None:
    """Return which code this walk waits for, or None if it waits for none.

    A password that was changed since it was typed here counts no longer (SE-04).
    """
    is_waiting = walk.session_id is None and walk.completed_at is None and not walk.denied_at
    if walk.account_id is None or not is_waiting:
        return None
    person = find_candidate(db, walk.account_id, now=now)
    if person is None or not _still_counts(walk, person, now=now):
        return None
    kind = strongest_step(person)
    return None if kind is StepKind.IMPOSSIBLE else OpenStep(kind, person)


def _still_counts(walk: Walk, person: Candidate, *, now: datetime) -> bool:
    if walk.password_verified_at is None:
        return True  # a step-up: the session proves the password
    last_change = max(person.access_valid_from, person.password_changed_at or now)
    return last_change <= walk.password_verified_at


def take(
    db: Session, walk: Walk, typed: TypedCode, *, setup: Setup, now: datetime
) -> Taken | NoCode | NoValidCode | Paused | NoStepOpen:
    """Count a try before it is evaluated; the caller commits before it calls `judge`."""
    step = open_step(db, walk, now=now)
    if step is None:
        return NoStepOpen()
    kind, account_id = step.kind, step.person.id
    if read_code(typed.text) is None:
        return NoCode()
    if kind is StepKind.TOTP:
        totp_try = totp.take_totp_try(db, account_id, now=now)
        if isinstance(totp_try, totp.TotpPaused):
            return Paused(until=totp_try.until)
        return Taken(walk, kind, account_id, totp_try)
    outcome = mailed_codes.take_try(db, walk.id, account_id, typed.text, rules=setup.codes, now=now)
    match outcome:
        case TryTaken():
            return Taken(walk, kind, account_id, outcome)
        case mailed_codes.CodesPaused(until):
            return Paused(until=until)
        case NoCode() | NoValidCode():
            return outcome


def judge(
    db: Session,
    taken: Taken,
    typed: TypedCode,
    visitor: Visitor,
    *,
    setup: Setup,
    now: datetime,
) -> SignedInWhole | WrongCode | Paused | NoStepOpen:
    """Judge a counted try; with the right code the person is signed in."""
    lock_person(db, taken.account_id)
    outcome = _compare(db, taken, typed.text, setup=setup, now=now)
    if outcome is not None:
        act = Act("signin.code_failed", subject_id=taken.account_id)
        record(db, act, actor=visitor.actor, now=now)
        return outcome
    person = find_candidate(db, taken.account_id, now=now)
    if person is None or not _still_counts(taken.walk, person, now=now):
        return NoStepOpen()
    if taken.kind is StepKind.MAIL and not person.has_proved_mail:
        # A corrected address: codes from before are void, so this one came out of the new mailbox.
        verify_address(db, person.id, now=now)
    walk = taken.walk
    proved = Authentication(
        person,
        taken.kind,
        walk.device_use,
        trusts_device=typed.trusts_device,
    )
    if walk.password_verified_at is not None:
        return complete_sign_in(db, walk.id, proved, visitor, setup=setup, now=now)
    return complete_step_up(db, walk.id, proved, visitor, now=now) or NoStepOpen()


def _compare(
    db: Session, taken: Taken, typed: str, *, setup: Setup, now: datetime
) -> WrongCode | Paused | None:
    """Return what is wrong with the code, or None if it was right and is used up."""
    if isinstance(taken.taken, TotpTaken):
        app = totp.judge_totp(db, taken.taken, typed, keys=setup.keys, now=now)
        match app:
            case totp.TotpRight():
                return None
            case totp.TotpWrong(tries_left):
                return WrongCode(tries_left)
            case totp.TotpPaused(until):
                return Paused(until)
    mailed = mailed_codes.judge_code(db, taken.taken, typed, keys=setup.keys, now=now)
    match mailed:
        case mailed_codes.CodeRight():
            return None
        case mailed_codes.CodeWrong(tries_left):
            return WrongCode(tries_left)
        case mailed_codes.CodesPaused(until):
            return Paused(until)


def send_again(
    db: Session, walk: Walk, *, setup: Setup, now: datetime
) -> CodeSent | CodeNotSent | NoStepOpen:
    """Mail another code for this walk, if the limits allow it (OT-11)."""
    step = open_step(db, walk, now=now)
    if step is None or step.kind is not StepKind.MAIL:
        return NoStepOpen()
    return send_code(db, walk.id, step.person, rules=setup.codes, keys=setup.keys, now=now)
