"""Changing the password while signed in: the current one is asked for, and tries are counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.signin import attempts, limits
from idp.domain.signin.candidates import lock_person
from idp.domain.signin.choosing import Choice, Chosen, choose_password, look_at_choice
from idp.domain.signin.new_password import take_new_password
from idp.domain.signin.passwords import MAX_LENGTH, Hasher, PasswordFault
from idp.domain.signin.sessions import SignedIn, StartedSession, raise_session
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.people import PasswordCredential

_PLACE = "change"


@dataclass(frozen=True)
class ChangeTaken:
    """The try is counted; what the two passwords are judged by."""

    choice: Choice
    counter: attempts.Counter


@dataclass(frozen=True)
class ChangePaused:
    """Too many wrong passwords on this page; ends by itself, or by a reset."""

    until: datetime


@dataclass(frozen=True)
class CurrentWrong:
    """What was typed as the current password is not it; the try stays counted."""


@dataclass(frozen=True)
class ChangeDone:
    """The password is new; the browser gets a new token, other sessions have ended."""

    session: StartedSession


def take_change(
    db: Session, person: SignedIn, *, tries: int, lock: timedelta, now: datetime
) -> ChangeTaken | ChangePaused:
    """Count a try before it is evaluated: a stolen session must not guess the password."""
    subject = limits.account_subject(person.account_id)
    counter = limits.lock_counter(subject, _PLACE, tries=tries, lock=lock)
    counted = attempts.reserve(db, counter, now=now)
    if isinstance(counted, attempts.Blocked):
        return ChangePaused(until=counted.until)
    return ChangeTaken(look_at_choice(db, person.account_id), counter)


def judge_change(
    taken: ChangeTaken, current: str, candidate: str, *, hasher: Hasher
) -> Chosen | CurrentWrong | tuple[PasswordFault, ...]:
    """Check the current password and judge the new one; runs outside every transaction."""
    if not knows_password(taken, current, hasher=hasher):
        return CurrentWrong()
    return choose_password(taken.choice, candidate, hasher=hasher)


def knows_password(taken: ChangeTaken, current: str, *, hasher: Hasher) -> bool:
    """Whether the password of a counted try is right; runs outside every transaction."""
    old_hash = taken.choice.old_hash
    return old_hash is not None and len(current) <= MAX_LENGTH and hasher.verify(old_hash, current)


def forgive_try(db: Session, taken: ChangeTaken) -> None:
    """Give the try back: the current password was right."""
    attempts.give_back(db, (taken.counter,))


def note_wrong(db: Session, person: SignedIn, *, actor: Actor, now: datetime) -> None:
    """Write that somebody in this session did not know the password."""
    act = Act(
        "password.change_refused",
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
    )
    record(db, act, actor=actor, now=now)


def change_password(
    db: Session,
    person: SignedIn,
    chosen: Chosen,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
) -> ChangeDone | CurrentWrong:
    """Write the new password if the one that was checked is still there; end other sessions."""
    lock_person(db, person.account_id)
    if not _claim(db, person, chosen, now=now):
        return CurrentWrong()
    session = raise_session(db, person, person.acr, person.amr, now=now)
    if session is None:
        return CurrentWrong()
    take_new_password(
        db, person.account_id, chosen.hashed, keys=keys, now=now, keep=person.session_id
    )
    act = Act(
        "password.changed",
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
    )
    record(db, act, actor=actor, now=now)
    return ChangeDone(session)


def _claim(db: Session, person: SignedIn, chosen: Chosen, *, now: datetime) -> bool:
    # The condition in the UPDATE is the lock: a reset or another tab may have come first.
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(PasswordCredential)
        .where(
            PasswordCredential.account_id == person.account_id,
            PasswordCredential.hash == chosen.replaces,
        )
        .values(hash=chosen.hashed, changed_at=now)
        .execution_options(synchronize_session="fetch")
    )
    return result.rowcount == 1
