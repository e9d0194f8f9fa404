"""What a person sees of her own past sign-ins: the last one, and a list with the failures."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.domain.signin.sessions import SignedIn
from idp.model.people import PasswordCredential
from idp.model.signin import BrowserSession
from idp.model.upkeep import AuditEvent

#: So many entries are shown; older ones the office can look up.
SHOWN_ENTRIES = 20


class SignInOutcome(StrEnum):
    """How a try to sign in ended, as its owner reads it."""

    OK = "ok"
    FAILED = "failed"
    LOCKED = "locked"
    CODE_FAILED = "code_failed"
    RESET = "reset"


#: The acts of the audit log that the owner of an account is shown (A24).
_SHOWN_ACTS = {
    "signin.succeeded": SignInOutcome.OK,
    "signin.failed": SignInOutcome.FAILED,
    "signin.locked": SignInOutcome.LOCKED,
    "signin.code_failed": SignInOutcome.CODE_FAILED,
    "password.set": SignInOutcome.RESET,
    "password.changed": SignInOutcome.RESET,
}


@dataclass(frozen=True)
class PastSignIn:
    """One try: when, how it ended, and with which browser if that is known."""

    at: datetime
    outcome: SignInOutcome
    device_label: str | None


def list_history(db: Session, account_id: UUID) -> tuple[PastSignIn, ...]:
    """Return the newest tries to sign in as this person, failed ones too."""
    events = db.execute(
        select(AuditEvent.at, AuditEvent.name)
        .where(AuditEvent.subject_id == account_id, AuditEvent.name.in_(_SHOWN_ACTS))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(SHOWN_ENTRIES)
    ).all()
    labels = _labels_by_start(db, account_id)
    return tuple(
        PastSignIn(at=at, outcome=_SHOWN_ACTS[name], device_label=labels.get(at))
        for at, name in events
    )


def find_previous_sign_in(db: Session, person: SignedIn) -> datetime | None:
    """Return when the person signed in before this time (A22: the home page says it)."""
    return db.scalar(
        select(AuditEvent.at)
        .where(
            AuditEvent.subject_id == person.account_id,
            AuditEvent.name == "signin.succeeded",
            AuditEvent.at < person.authenticated_at,
        )
        .order_by(AuditEvent.at.desc())
        .limit(1)
    )


def find_password_date(db: Session, account_id: UUID) -> datetime | None:
    """Return when the person chose the password she has now."""
    return db.scalar(
        select(PasswordCredential.changed_at).where(PasswordCredential.account_id == account_id)
    )


def _labels_by_start(db: Session, account_id: UUID) -> dict[datetime, str]:
    """Return browsers by the moment of their sign-in: both are written in one transaction."""
    rows = db.execute(
        select(BrowserSession.authenticated_at, BrowserSession.device_label).where(
            BrowserSession.account_id == account_id
        )
    )
    return {at: label for at, label in rows if label}
