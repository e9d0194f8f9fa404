"""How a person stands, in one word, and where a family got stuck on its way in (D17)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from idp.domain.signin import limits
from idp.domain.staff.announcements import ISSUED
from idp.model.people import Account, AccountStatus
from idp.model.signin import FailureCount, PasswordReset
from idp.model.upkeep import OutboxMessage, OutboxState


class Standing(StrEnum):
    """An account as staff see it."""

    DRAFT = "draft"
    #: Issued, but without an address (A39).
    NO_LOGIN = "no_login"
    ISSUED = "issued"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class MailStanding(StrEnum):
    """What became of the newest notice of issue."""

    NO_ADDRESS = "no_address"
    NOT_SENT = "not_sent"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    #: The person has set a password: the mail arrived and was read.
    OPENED = "opened"


class Stage(StrEnum):
    """Why a family has not arrived, or that it has."""

    DRAFT = "draft"
    NO_ADDRESS = "no_address"
    #: The notice waits: the mail server could not be reached yet.
    WAITING = "waiting"
    UNDELIVERED = "undelivered"
    #: The notice left; nobody has asked for the password mail yet.
    NOT_BEGUN = "not_begun"
    #: The password mail was asked for, link or code were not used.
    LINK_NOT_USED = "link_not_used"
    #: Link or code were used; the password is not set.
    HALF_WAY = "half_way"
    #: Too many wrong answers to the question only the family can answer.
    STOPPED = "stopped"
    ARRIVED = "arrived"
    SUSPENDED = "suspended"
    CLOSED = "closed"


def standing_of(account: Account) -> Standing:
    """Return how an account stands."""
    if account.status is AccountStatus.ISSUED and account.email is None:
        return Standing.NO_LOGIN
    return Standing(account.status.value)


def newest_notice_state() -> ScalarSelect[OutboxState]:
    """Return the state of an account's newest notice, as a column of a query of accounts."""
    return (
        select(OutboxMessage.state)
        .where(OutboxMessage.account_id == Account.id, OutboxMessage.name == ISSUED)
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        .limit(1)
        .correlate(Account)
        .scalar_subquery()
    )


def mail_standing(account: Account, newest: OutboxState | None) -> MailStanding:
    """Return what became of the newest notice of this account."""
    if account.email is None:
        return MailStanding.NO_ADDRESS
    if account.activated_at is not None and account.email_verified_at is not None:
        return MailStanding.OPENED
    match newest:
        case None | OutboxState.DROPPED:
            return MailStanding.NOT_SENT
        case OutboxState.QUEUED:
            return MailStanding.QUEUED
        case OutboxState.SENT:
            return MailStanding.SENT
        case OutboxState.FAILED:
            return MailStanding.FAILED


def stage_of(db: Session, account: Account, newest: OutboxState | None) -> Stage:
    """Tell why this family has not arrived, from what is known of its way in."""
    match standing_of(account):
        case Standing.DRAFT:
            return Stage.DRAFT
        case Standing.NO_LOGIN:
            return Stage.NO_ADDRESS
        case Standing.SUSPENDED:
            return Stage.SUSPENDED
        case Standing.CLOSED:
            return Stage.CLOSED
        case Standing.ACTIVE:
            return Stage.ARRIVED
        case Standing.ISSUED:
            return _stage_on_the_way(db, account, newest)


def _stage_on_the_way(db: Session, account: Account, newest: OutboxState | None) -> Stage:
    if account.activation_stopped_at is not None:
        return Stage.STOPPED
    unfinished = (
        PasswordReset.account_id == account.id,
        PasswordReset.completed_at.is_(None),
    )
    if db.scalar(select(func.max(PasswordReset.opened_at)).where(*unfinished)) is not None:
        return Stage.HALF_WAY
    if db.scalar(select(func.max(PasswordReset.created_at)).where(*unfinished)) is not None:
        return Stage.LINK_NOT_USED
    match newest:
        case OutboxState.FAILED:
            return Stage.UNDELIVERED
        case OutboxState.SENT:
            return Stage.NOT_BEGUN
        case OutboxState.QUEUED | OutboxState.DROPPED | None:
            return Stage.WAITING


def find_lock(db: Session, account_id: UUID, *, now: datetime) -> datetime | None:
    """Return until when wrong passwords stop this person somewhere, if they do."""
    prefix = f"{limits.account_subject(account_id)}@"
    return db.scalar(
        select(func.max(FailureCount.blocked_until)).where(
            FailureCount.purpose == limits.PASSWORD,
            FailureCount.subject.startswith(prefix, autoescape=True),
            FailureCount.blocked_until > now,
        )
    )
