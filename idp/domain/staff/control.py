"""What staff do to an account: suspend, resume, close, unlock, correct its address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.base.text import single_line
from idp.domain.access.ending import end_all_access, void_mailed_secrets
from idp.domain.grants.security_events import tell_of_person
from idp.domain.people import accounts
from idp.domain.people.protection import find_protection
from idp.domain.signin import limits
from idp.domain.signin.attempts import forget, forget_prefix
from idp.domain.staff.announcements import announce_issue, count_notice
from idp.domain.staff.desk import Desk, Post, find_person, note, note_refusal
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.people import Account, AccountStatus
from idp.model.signin import SessionEnd
from idp.protocol.events import SecurityEvent

#: A reason is a sentence, not a file.
LONGEST_REASON = 200


class Outcome(StrEnum):
    """What asking for a change came to."""

    DONE = "done"
    #: No such person at this desk.
    UNKNOWN = "unknown"
    #: The account does not stand where the change begins.
    NOT_NOW = "not_now"
    REASON = "reason_missing"


class Change(StrEnum):
    """What is done to an account with nothing but a reason."""

    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"
    UNLOCK = "unlock"


@dataclass(frozen=True)
class Case:
    """Whose account, and why: the reason goes into the audit log."""

    account_id: UUID
    reason: str

    def has_reason(self) -> bool:
        """Whether a reason is given that fits into one line."""
        try:
            return 0 < len(single_line(self.reason)) <= LONGEST_REASON
        except ValueError:
            return False


def change(
    db: Session, desk: Desk, wanted: Change, case: Case, *, post: Post, now: datetime
) -> Outcome:
    """Do one of the four."""
    match wanted:
        case Change.SUSPEND:
            return suspend(db, desk, case, post=post, now=now)
        case Change.RESUME:
            return resume(db, desk, case, post=post, now=now)
        case Change.CLOSE:
            return close(db, desk, case, post=post, now=now)
        case Change.UNLOCK:
            return unlock(db, desk, case, now=now)


def suspend(db: Session, desk: Desk, case: Case, *, post: Post, now: datetime) -> Outcome:
    """Stop a person: sessions and tokens end at once, nothing new is given (SE-05)."""
    refusal = _refusal(db, desk, case, now=now)
    if refusal is not None:
        return refusal
    if not accounts.suspend(db, case.account_id, now=now):
        return Outcome.NOT_NOW
    event = SecurityEvent.ACCOUNT_SUSPENDED
    tell_of_person(db, event, case.account_id, keys=post.keys, now=now)
    end_all_access(db, case.account_id, SessionEnd.SUSPENDED, keys=post.keys, now=now)
    void_mailed_secrets(db, case.account_id, now=now)
    note(db, desk, "account.suspended", case.account_id, reason=case.reason, now=now)
    return Outcome.DONE


def resume(db: Session, desk: Desk, case: Case, *, post: Post, now: datetime) -> Outcome:
    """End a suspension; the person signs in anew, and services hear that she may."""
    refusal = _refusal(db, desk, case, now=now)
    if refusal is not None:
        return refusal
    if not accounts.resume(db, case.account_id, now=now):
        return Outcome.NOT_NOW
    if accounts.find_usable(db, case.account_id, now=now) is not None:
        event = SecurityEvent.ACCOUNT_ACTIVATED
        tell_of_person(db, event, case.account_id, keys=post.keys, now=now)
    note(db, desk, "account.resumed", case.account_id, reason=case.reason, now=now)
    return Outcome.DONE


def close(db: Session, desk: Desk, case: Case, *, post: Post, now: datetime) -> Outcome:
    """Close an account for good; its row and its `sub` are never used again (PX-08)."""
    refusal = _refusal(db, desk, case, now=now)
    if refusal is not None:
        return refusal
    if not accounts.close(db, case.account_id, now=now):
        return Outcome.NOT_NOW
    event = SecurityEvent.ACCOUNT_CLOSED
    tell_of_person(db, event, case.account_id, keys=post.keys, now=now)
    end_all_access(db, case.account_id, SessionEnd.STAFF, keys=post.keys, now=now)
    void_mailed_secrets(db, case.account_id, now=now)
    note(db, desk, "account.closed", case.account_id, reason=case.reason, now=now)
    return Outcome.DONE


def unlock(db: Session, desk: Desk, case: Case, *, now: datetime) -> Outcome:
    """Forget wrong passwords, codes and activation facts, so that the person can try again.

    Limits that protect everyone (per network, overall) stay.
    """
    refusal = _refusal(db, desk, case, now=now)
    if refusal is not None:
        return refusal
    lift_locks(db, case.account_id, now=now)
    note(db, desk, "account.unlocked", case.account_id, reason=case.reason, now=now)
    return Outcome.DONE


def lift_locks(db: Session, account_id: UUID, *, now: datetime) -> None:
    """Forget the failures of one person, wherever they were counted."""
    subject = limits.account_subject(account_id)
    forget_prefix(db, limits.PASSWORD, f"{subject}@")
    for purpose in (limits.SIGN_IN_CODE, limits.RESET_CODE, limits.ACTIVATION_FACT):
        forget(db, purpose, subject)
    db.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(activation_stopped_at=None, updated_at=now)
    )


@dataclass(frozen=True)
class AddressCase:
    """Whose address is corrected, to what (parsed), and why."""

    case: Case
    email: str


def correct_address(
    db: Session, desk: Desk, wanted: AddressCase, *, post: Post, now: datetime
) -> Outcome:
    """Correct an address: old codes and links are void, the notice goes to the new one.

    The password stays; the new address counts as unverified until its owner has used it.
    The old address is told neutrally, except for a protected person (D3, D12).
    """
    case = wanted.case
    refusal = _refusal(db, desk, case, now=now)
    if refusal is not None:
        return refusal
    account = db.get_one(Account, case.account_id)
    old_address, old_status = account.email, account.status
    if not accounts.change_address(db, case.account_id, wanted.email, now=now):
        return Outcome.NOT_NOW
    event = SecurityEvent.EMAIL_CHANGED
    tell_of_person(db, event, case.account_id, keys=post.keys, now=now)
    end_all_access(db, case.account_id, SessionEnd.STAFF, keys=post.keys, now=now)
    void_mailed_secrets(db, case.account_id, now=now)
    # What the owner of the wrong address guessed is not held against the right one.
    forget(db, limits.ACTIVATION_FACT, limits.account_subject(case.account_id))
    note(db, desk, "account.email_corrected", case.account_id, reason=case.reason, now=now)
    if old_address is not None and account.activated_at is not None:
        _tell_old_address(db, account, old_address, post=post, now=now)
    if old_status in {AccountStatus.ISSUED, AccountStatus.ACTIVE}:
        count_notice(db, account, post=post, now=now)
        announce_issue(db, case.account_id, post=post, now=now)
    return Outcome.DONE


def _tell_old_address(
    db: Session, account: Account, old_address: str, *, post: Post, now: datetime
) -> None:
    if find_protection(db, account.id) is not None:
        return
    mail = Mail(
        "email_changed",
        account.id,
        {},
        municipality_id=account.municipality_id,
        to=old_address,
    )
    enqueue_mail(db, mail, keys=post.keys, now=now)


def _refusal(db: Session, desk: Desk, case: Case, *, now: datetime) -> Outcome | None:
    if find_person(db, desk, case.account_id) is None:
        note_refusal(db, desk, case.account_id, now=now)
        return Outcome.UNKNOWN
    return None if case.has_reason() else Outcome.REASON
