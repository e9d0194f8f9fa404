"""Mailed codes of a sign-in: count a try, judge it, use the code up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import equal
from idp.db.rows import change, fetch_all, fetch_one
from idp.domain.signin import attempts, limits
from idp.domain.signin.code_mails import CodeRules, code_digest, void_codes
from idp.domain.signin.code_text import read_code
from idp.domain.signin.interactions import lock_walk
from idp.model.people import Account
from idp.model.signin import OneTimeSecret, SecretKind

_KIND = SecretKind.SIGN_IN_CODE

_secret: Any = OneTimeSecret.__table__
_account: Any = Account.__table__

_OPEN = (
    _secret.c.transaction_id == bindparam("walk"),
    _secret.c.kind == _KIND,
    _secret.c.used_at.is_(None),
    _secret.c.superseded_at.is_(None),
    _secret.c.failed_count < bindparam("tries"),
)
_COUNT = (
    update(_secret)
    .where(
        *_OPEN,
        _secret.c.account_id == bindparam("account"),
        _secret.c.expires_at > bindparam("now"),
    )
    .values(failed_count=_secret.c.failed_count + 1)
    .returning(_secret.c.id, _secret.c.failed_count)
)
_EXPIRED = select(_secret.c.id).where(*_OPEN, _secret.c.expires_at <= bindparam("now")).limit(1)
_COMPARED = (
    select(
        _secret.c.id,
        _secret.c.digest,
        _secret.c.email_key,
        _account.c.email_key.label("email_key_now"),
    )
    .join(_account, _account.c.id == _secret.c.account_id)
    .where(_secret.c.id.in_(bindparam("secrets", expanding=True)))
)
# The condition is the lock: of several right tries one gets through.
_USE_UP = (
    update(_secret)
    .where(
        _secret.c.id == bindparam("secret"),
        _secret.c.used_at.is_(None),
        _secret.c.superseded_at.is_(None),
        _secret.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
)


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
    outcome = attempts.count_all(db, counters, now=now)
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
    wanted = {
        "walk": interaction_id,
        "account": account_id,
        "tries": rules.tries,
        "now": now,
    }
    return {row.id: row.failed_count for row in fetch_all(db, _COUNT, wanted)}


def _has_expired(db: Session, interaction_id: UUID, *, rules: CodeRules, now: datetime) -> bool:
    """Whether only time is to blame: tries were left, and nobody used the code."""
    wanted = {"walk": interaction_id, "tries": rules.tries, "now": now}
    return fetch_one(db, _EXPIRED, wanted) is not None


def judge_code(
    db: Session, taken: TryTaken, typed: str, *, keys: Keyring, now: datetime
) -> CodeRight | CodeWrong | CodesPaused:
    """Compare what was typed with the codes of the try, and use the right one up (OT-06)."""
    lock_walk(db, taken.interaction_id)
    code = read_code(typed)
    wanted = b"" if code is None else code_digest(code, taken.interaction_id, keys=keys)
    candidates = fetch_all(db, _COMPARED, {"secrets": list(taken.secret_ids)})
    # Every candidate is compared: the time taken does not tell which one was near.
    matching = [
        each
        for each in candidates
        if equal(each.digest, wanted) and each.email_key == each.email_key_now
    ]
    if matching and change(db, _USE_UP, {"secret": matching[0].id, "now": now}) == 1:
        void_codes(db, taken.interaction_id, keep=0, now=now)
        _forgive(db, taken.account_id, matching[0].email_key or "", keys=keys)
        return CodeRight()
    if taken.paused_until is not None:
        return CodesPaused(until=taken.paused_until)
    return CodeWrong(tries_left=taken.tries_left)


def _forgive(db: Session, account_id: UUID, email_key: str, *, keys: Keyring) -> None:
    """A right code shows that mails arrive and are read by her: failures and mails start anew."""
    subject = limits.account_subject(account_id)
    attempts.forget_each(db, (_KIND, f"{limits.MAIL}:{_KIND}"), subject)
    mailbox = limits.mail_counters(_KIND, account_id, email_key, keys=keys)[2:]
    attempts.give_back(db, mailbox)
