"""Opening a reset: the mailed link or code is used up, once, by whoever holds it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.contact import mail_key
from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, equal, new_token
from idp.domain.recovery.asking import RESET_KINDS, code_digest, void_reset_secrets
from idp.domain.recovery.rules import ResetRules, code_counters
from idp.domain.recovery.standing import AskedReset
from idp.domain.signin import attempts
from idp.domain.signin.candidates import lock_person
from idp.domain.signin.code_text import read_code
from idp.domain.signin.visitors import Visitor
from idp.domain.upkeep.audit import Act, record
from idp.model.people import Account, AccountStatus
from idp.model.signin import OneTimeSecret, PasswordReset, SecretKind

#: A suspended person may set a password; the suspension stays (RS-05).
_MAY_OPEN = (AccountStatus.ISSUED, AccountStatus.ACTIVE, AccountStatus.SUSPENDED)


@dataclass(frozen=True)
class ResetOpened:
    """The way to the new password is open in this browser, under a new cookie (SE-01)."""

    browser_token: str


@dataclass(frozen=True)
class DeadLink:
    """Too old, used, replaced, or never issued: they look the same."""


@dataclass(frozen=True)
class NoCode:
    """What was typed holds no six digits: nothing was evaluated and nothing counted."""


@dataclass(frozen=True)
class CodeTaken:
    """The try is counted; `judge_code` evaluates it in the next transaction."""

    asked: AskedReset
    typed: str
    tries_left: int


@dataclass(frozen=True)
class CodeWrong:
    """No code of this request is right, or it is not valid any more."""

    tries_left: int


@dataclass(frozen=True)
class CodesPaused:
    """Too many wrong codes for this mailbox, from wherever; ends by itself."""

    until: datetime


@dataclass(frozen=True)
class CodeUsedUp:
    """Five wrong tries at one request: only another mail helps."""


def is_live_link(db: Session, token: str, *, now: datetime) -> bool:
    """Whether a link could still be used; looking uses nothing up (RS-03)."""
    return _find_link(db, token, now=now) is not None


def open_by_link(
    db: Session, token: str, visitor: Visitor, *, rules: ResetRules, now: datetime
) -> ResetOpened | DeadLink:
    """Use a link up; a GET never comes here (A13)."""
    secret = _find_link(db, token, now=now)
    if secret is None:
        return DeadLink()
    return _use_up(db, secret, visitor, rules=rules, now=now) or DeadLink()


def _find_link(db: Session, token: str, *, now: datetime) -> OneTimeSecret | None:
    return db.scalar(
        select(OneTimeSecret).where(
            OneTimeSecret.kind == SecretKind.RESET_LINK,
            OneTimeSecret.digest == digest(token),
            OneTimeSecret.used_at.is_(None),
            OneTimeSecret.superseded_at.is_(None),
            OneTimeSecret.expires_at > now,
        )
    )


def take_code(
    db: Session,
    asked: AskedReset,
    typed: str,
    *,
    rules: ResetRules,
    keys: Keyring,
    now: datetime,
) -> CodeTaken | NoCode | CodesPaused | CodeUsedUp:
    """Count a try before it is evaluated; the caller commits before it calls `judge_code`.

    Counted by request and by mailbox, so an address nobody has takes the same way (EN-03).
    """
    if read_code(typed) is None:
        return NoCode()
    counters = code_counters(asked.id, mail_key(asked.email), rules=rules, keys=keys)
    of_request, *of_mailbox = counters
    if attempts.find_block(db, (of_request,), now=now) is not None:
        return CodeUsedUp()
    blocked = attempts.find_block(db, of_mailbox, now=now)
    if blocked is not None:
        return CodesPaused(until=blocked.until)
    taken = attempts.reserve_all(db, counters, now=now)
    if isinstance(taken, attempts.Blocked):
        return CodesPaused(until=taken.until)
    return CodeTaken(asked, typed, tries_left=min(each.remaining for each in taken))


def judge_code(
    db: Session,
    taken: CodeTaken,
    visitor: Visitor,
    *,
    rules: ResetRules,
    keys: Keyring,
    now: datetime,
) -> ResetOpened | CodeWrong:
    """Compare with every code of the request, and use the right one up."""
    code = read_code(taken.typed)
    assert code is not None  # take_code saw to it
    wanted = code_digest(code, taken.asked.id, keys=keys)
    candidates = db.scalars(
        select(OneTimeSecret).where(
            OneTimeSecret.transaction_id == taken.asked.id,
            OneTimeSecret.kind == SecretKind.RESET_CODE,
        )
    ).all()
    matching = [each for each in candidates if equal(each.digest, wanted)]
    for secret in matching:
        opened = _use_up(db, secret, visitor, rules=rules, now=now)
        if opened is not None:
            counters = code_counters(
                taken.asked.id, mail_key(taken.asked.email), rules=rules, keys=keys
            )
            attempts.give_back(db, counters)
            return opened
    record(db, Act("password.reset_code_failed"), actor=visitor.actor, now=now)
    return CodeWrong(tries_left=taken.tries_left)


def _use_up(
    db: Session, secret: OneTimeSecret, visitor: Visitor, *, rules: ResetRules, now: datetime
) -> ResetOpened | None:
    """Claim the secret; link and code of a mail, and every other one, are void with it."""
    account_id = secret.account_id
    lock_person(db, account_id)
    email_key = db.scalar(
        select(Account.email_key).where(Account.id == account_id, Account.status.in_(_MAY_OPEN))
    )
    if email_key is None or not _claim(db, secret.id, email_key, now=now):
        return None
    _close_others(db, account_id, asked_id=secret.transaction_id, now=now)
    row = _new_reset(account_id, rules, now=now)
    return _open(db, account_id, row, visitor, way="mail", now=now)


def open_by_identity(
    db: Session, account_id: UUID, visitor: Visitor, *, rules: ResetRules, now: datetime
) -> ResetOpened | None:
    """Open the way for a person who has proved herself at the upstream provider.

    Only one who has been here before: an identity never takes the place of an activation.
    """
    lock_person(db, account_id)
    status = db.scalar(select(Account.status).where(Account.id == account_id))
    if status not in (AccountStatus.ACTIVE, AccountStatus.SUSPENDED):
        return None
    _close_others(db, account_id, asked_id=None, now=now)
    row = _new_reset(account_id, rules, now=now)
    row.by_identity = True
    return _open(db, account_id, row, visitor, way="identity", now=now)


def _new_reset(account_id: UUID, rules: ResetRules, *, now: datetime) -> PasswordReset:
    return PasswordReset(
        id=new_id(now=now),
        account_id=account_id,
        opened_at=now,
        created_at=now,
        expires_at=now + rules.lifetime,
    )


def _open(
    db: Session,
    account_id: UUID,
    row: PasswordReset,
    visitor: Visitor,
    *,
    way: str,
    now: datetime,
) -> ResetOpened:
    void_reset_secrets(db, account_id, now=now)
    token = new_token()
    row.browser_digest = digest(token)
    db.add(row)
    act = Act("password.reset_opened", subject_id=account_id, detail={"way": way})
    record(db, act, actor=visitor.actor, now=now)
    return ResetOpened(browser_token=token)


def _claim(db: Session, secret_id: UUID, email_key: str, *, now: datetime) -> bool:
    # The condition in the UPDATE is the lock: of two posts of one link one gets through.
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(OneTimeSecret)
        .where(
            OneTimeSecret.id == secret_id,
            OneTimeSecret.kind.in_(RESET_KINDS),
            OneTimeSecret.used_at.is_(None),
            OneTimeSecret.superseded_at.is_(None),
            OneTimeSecret.expires_at > now,
            # Void after a change of the address (A13).
            OneTimeSecret.email_key == email_key,
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1


def _close_others(db: Session, account_id: UUID, *, asked_id: UUID | None, now: datetime) -> None:
    """Let only the newest opened reset of a person live."""
    db.execute(
        update(PasswordReset)
        .where(
            (PasswordReset.id == asked_id)
            | ((PasswordReset.account_id == account_id) & PasswordReset.opened_at.is_not(None)),
            PasswordReset.completed_at.is_(None),
            PasswordReset.expires_at > now,
        )
        .values(expires_at=now)
        .execution_options(synchronize_session=False)
    )
