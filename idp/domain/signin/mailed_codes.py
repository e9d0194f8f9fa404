"""Mailed codes of a sign-in: count a try, judge it, use the code up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import equal
from idp.domain.signin import attempts, limits
from idp.domain.signin.code_mails import CodeRules, code_digest, void_codes
from idp.domain.signin.code_text import read_code
from idp.domain.signin.interactions import lock_walk
from idp.model.people import Account
from idp.model.signin import OneTimeSecret, SecretKind

_KIND = SecretKind.SIGN_IN_CODE


@dataclass(frozen=True)
class TryTaken:
    """The try is counted; `judge_code` evaluates it in the next transaction."""

    interaction_id: UUID
    account_id: UUID
    secret_ids: tuple[UUID, ...]
    tries_left: int
    #: The pause that begins if this try fails.
    paused_until: datetime | None


@dataclass(frozen=True)
class NoValidCode:
    """There is nothing to compare with: too old, used, or five wrong tries each."""

    is_expired: bool


@dataclass(frozen=True)
class CodesPaused:
    """Too many wrong codes of this person, from wherever; ends by itself."""

    until: datetime


@dataclass(frozen=True)
class NoCode:
    """What was typed holds no six digits: nothing was evaluated and nothing counted."""


@dataclass(frozen=True)
class CodeRight:
    """The code is used up; the second step is done."""


@dataclass(frozen=True)
class CodeWrong:
    """The code does not match; the try stays counted."""

    tries_left: int


def take_try(
    db: Session,
    interaction_id: UUID,
    account_id: UUID,
    typed: str,
    *,
    rules: CodeRules,
    now: datetime,
) -> TryTaken | NoCode | NoValidCode | CodesPaused:
    """Count a try before it is evaluated: against each valid code, and against the person.

    The caller commits before it calls `judge_code`, so that of any number of parallel tries
    at most `rules.tries` are ever evaluated (OT-05), and one budget holds for all browsers of a
    person (OT-04).
    """
    if read_code(typed) is None:
        return NoCode()
    counters = limits.code_counters(_KIND, account_id)
    blocked = attempts.find_block(db, counters, now=now)
    if blocked is not None:
        return CodesPaused(until=blocked.until)
    counts = _count_on_codes(db, interaction_id, account_id, rules=rules, now=now)
    if not counts:
        return NoValidCode(is_expired=_has_expired(db, interaction_id, rules=rules, now=now))
    outcome = attempts.reserve_all(db, counters, now=now)
    if isinstance(outcome, attempts.Blocked):
        return CodesPaused(until=outcome.until)
    left_on_code = rules.tries - min(counts.values())
    ends = [each.blocked_until for each in outcome if each.blocked_until is not None]
    return TryTaken(
        interaction_id=interaction_id,
        account_id=account_id,
        secret_ids=tuple(counts),
        tries_left=min(left_on_code, *(each.remaining for each in outcome)),
        paused_until=max(ends, default=None),
    )


def _count_on_codes(
    db: Session, interaction_id: UUID, account_id: UUID, *, rules: CodeRules, now: datetime
) -> dict[UUID, int]:
    lock_walk(db, interaction_id)
    rows = db.execute(
        update(OneTimeSecret)
        .where(
            OneTimeSecret.transaction_id == interaction_id,
            OneTimeSecret.account_id == account_id,
            OneTimeSecret.kind == _KIND,
            OneTimeSecret.used_at.is_(None),
            OneTimeSecret.superseded_at.is_(None),
            OneTimeSecret.expires_at > now,
            OneTimeSecret.failed_count < rules.tries,
        )
        .values(failed_count=OneTimeSecret.failed_count + 1)
        .returning(OneTimeSecret.id, OneTimeSecret.failed_count)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.failed_count for row in rows}


def _has_expired(db: Session, interaction_id: UUID, *, rules: CodeRules, now: datetime) -> bool:
    """Whether only time is to blame: tries were left, and nobody used the code."""
    query = select(OneTimeSecret.id).where(
        OneTimeSecret.transaction_id == interaction_id,
        OneTimeSecret.kind == _KIND,
        OneTimeSecret.used_at.is_(None),
        OneTimeSecret.superseded_at.is_(None),
        OneTimeSecret.failed_count < rules.tries,
        OneTimeSecret.expires_at <= now,
    )
    return db.scalar(query.limit(1)) is not None


def judge_code(
    db: Session, taken: TryTaken, typed: str, *, keys: Keyring, now: datetime
) -> CodeRight | CodeWrong | CodesPaused:
    """Compare what was typed with the codes of the try, and use the right one up (OT-06)."""
    lock_walk(db, taken.interaction_id)
    code = read_code(typed)
    wanted = b"" if code is None else code_digest(code, taken.interaction_id, keys=keys)
    email_key = db.scalar(select(Account.email_key).where(Account.id == taken.account_id))
    candidates = db.execute(
        select(OneTimeSecret.id, OneTimeSecret.digest, OneTimeSecret.email_key).where(
            OneTimeSecret.id.in_(taken.secret_ids)
        )
    ).all()
    # Every candidate is compared: the time taken does not tell which one was near.
    matching = [
        each.id for each in candidates if equal(each.digest, wanted) and each.email_key == email_key
    ]
    if matching and _use_up(db, matching[0], now=now):
        void_codes(db, taken.interaction_id, keep=0, now=now)
        _forgive(db, taken.account_id, email_key or "", keys=keys)
        return CodeRight()
    if taken.paused_until is not None:
        return CodesPaused(until=taken.paused_until)
    return CodeWrong(tries_left=taken.tries_left)


def _use_up(db: Session, secret_id: UUID, *, now: datetime) -> bool:
    # The condition in the UPDATE is the lock: of several right tries one gets through.
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(OneTimeSecret)
        .where(
            OneTimeSecret.id == secret_id,
            OneTimeSecret.used_at.is_(None),
            OneTimeSecret.superseded_at.is_(None),
            OneTimeSecret.expires_at > now,
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1


def _forgive(db: Session, account_id: UUID, email_key: str, *, keys: Keyring) -> None:
    """A right code shows that mails arrive and are read by her: failures and mails start anew."""
    subject = limits.account_subject(account_id)
    attempts.forget(db, _KIND, subject)
    attempts.forget(db, f"{limits.MAIL}:{_KIND}", subject)
    mailbox = limits.mail_counters(_KIND, account_id, email_key, keys=keys)[2:]
    attempts.give_back(db, mailbox)
