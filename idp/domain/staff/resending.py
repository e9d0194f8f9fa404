"""Sending the notice of issue again: to one person, or to everyone who has not started."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.domain.signin.attempts import Blocked
from idp.domain.staff.announcements import announce_issue, count_notice
from idp.domain.staff.delivery import who_waits
from idp.domain.staff.desk import Desk, Post, find_person, note, note_refusal
from idp.model.people import Account, AccountStatus


@dataclass(frozen=True)
class SentAgain:
    """The notice is in the outbox once more."""


@dataclass(frozen=True)
class TooSoon:
    """A notice left a moment ago, or many have left today."""

    until: datetime


@dataclass(frozen=True)
class NothingToSend:
    """The person has no address, has started already, or is not issued."""


@dataclass(frozen=True)
class NobodyHere:
    """No such person at this desk."""


Resent = SentAgain | TooSoon | NothingToSend | NobodyHere


def send_again(db: Session, desk: Desk, account_id: UUID, *, post: Post, now: datetime) -> Resent:
    """Mail the notice of issue again to someone who has not started (A03)."""
    person = find_person(db, desk, account_id)
    if person is None:
        note_refusal(db, desk, account_id, now=now)
        return NobodyHere()
    if person.status is not AccountStatus.ISSUED or person.email_key is None:
        return NothingToSend()
    taken = count_notice(db, person, post=post, now=now)
    if isinstance(taken, Blocked):
        return TooSoon(taken.until)
    announce_issue(db, account_id, post=post, now=now)
    note(db, desk, "account.notice_sent_again", account_id, now=now)
    return SentAgain()


def send_again_to_waiting(db: Session, desk: Desk, *, post: Post, now: datetime) -> int:
    """Mail the notice again to everyone who has not started; return how many it left for.

    Whoever got one too recently is left out.
    """
    waiting = db.scalars(
        select(Account.id)
        .where(*who_waits(desk, now=now), Account.email_key.is_not(None))
        .order_by(Account.issued_at, Account.id)
    ).all()
    outcomes = [send_again(db, desk, each, post=post, now=now) for each in waiting]
    return sum(isinstance(outcome, SentAgain) for outcome in outcomes)
