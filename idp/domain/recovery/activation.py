"""The first activation: one more fact that only the family knows (requirements §0.4)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from idp.domain.access.ending import void_mailed_secrets
from idp.domain.people.facts import knows_the_family
from idp.domain.recovery.rules import ResetRules, fact_counter
from idp.domain.recovery.standing import OpenReset
from idp.domain.signin import attempts
from idp.domain.signin.visitors import Visitor
from idp.domain.upkeep.audit import Act, record
from idp.model.people import Account
from idp.model.signin import PasswordReset


@dataclass(frozen=True)
class ToldFact:
    """What was typed, parsed; one right fact is enough."""

    application_number: str | None = None
    birthdate: date | None = None


@dataclass(frozen=True)
class FactTaken:
    """The try is counted; `judge_fact` evaluates it in the next transaction."""

    opened: OpenReset
    fact: ToldFact
    tries_left: int


@dataclass(frozen=True)
class FactRight:
    """The way to the new password is free."""


@dataclass(frozen=True)
class FactWrong:
    """The registered facts are others."""

    tries_left: int


@dataclass(frozen=True)
class ActivationStopped:
    """Five wrong facts: the counter goes on from here."""


def take_fact(
    db: Session, opened: OpenReset, fact: ToldFact, *, rules: ResetRules, now: datetime
) -> FactTaken | ActivationStopped:
    """Count a try before it is evaluated; the caller commits before it calls `judge_fact`.

    Counted per person: another link or another browser brings no new tries.
    """
    if opened.is_stopped:
        return ActivationStopped()
    counted = attempts.reserve(db, fact_counter(opened.account_id, rules=rules), now=now)
    if isinstance(counted, attempts.Blocked):
        return ActivationStopped()
    return FactTaken(opened, fact, tries_left=counted.remaining)


def judge_fact(
    db: Session, taken: FactTaken, visitor: Visitor, *, rules: ResetRules, now: datetime
) -> FactRight | FactWrong | ActivationStopped:
    """Compare with what the family told the municipality; the last wrong try stops it all."""
    opened, fact = taken.opened, taken.fact
    is_right = knows_the_family(
        db,
        opened.account_id,
        application_number=fact.application_number,
        birthdate=fact.birthdate,
        now=now,
    )
    if is_right and _note_fact(db, opened, now=now):
        attempts.forget(db, *_counted_by(opened, rules))
        return FactRight()
    act = Act(
        "account.activation_fact_failed",
        subject_id=opened.account_id,
        municipality_id=opened.municipality_id,
    )
    record(db, act, actor=visitor.actor, now=now)
    if taken.tries_left > 0:
        return FactWrong(tries_left=taken.tries_left)
    _stop(db, opened, visitor, now=now)
    return ActivationStopped()


def _counted_by(opened: OpenReset, rules: ResetRules) -> tuple[str, str]:
    counter = fact_counter(opened.account_id, rules=rules)
    return counter.purpose, counter.subject


def _note_fact(db: Session, opened: OpenReset, *, now: datetime) -> bool:
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(PasswordReset)
        .where(
            PasswordReset.id == opened.id,
            PasswordReset.opened_at.is_not(None),
            PasswordReset.completed_at.is_(None),
            PasswordReset.expires_at > now,
        )
        .values(fact_checked_at=now)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1


def _stop(db: Session, opened: OpenReset, visitor: Visitor, *, now: datetime) -> None:
    """Leave what follows to the office: every link and code that was mailed is void."""
    db.execute(
        update(Account)
        .where(Account.id == opened.account_id)
        .values(activation_stopped_at=now, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    void_mailed_secrets(db, opened.account_id, now=now)
    act = Act(
        "account.activation_stopped",
        subject_id=opened.account_id,
        municipality_id=opened.municipality_id,
    )
    record(db, act, actor=visitor.actor, now=now)
