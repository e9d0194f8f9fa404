"""Recovery at the counter: who stands there is checked, written down, and helped (B25-B27)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.domain.access.ending import end_all_access, void_mailed_secrets
from idp.domain.staff.announcements import announce_issue, count_notice
from idp.domain.staff.control import (
    AddressCase,
    Case,
    Outcome,
    correct_address,
    lift_locks,
)
from idp.domain.staff.desk import Desk, Post, find_person, note, note_refusal
from idp.model.people import Account, AccountStatus, CredentialState, ProofingEvent
from idp.model.signin import SessionEnd

#: Besides the document with a photograph, so many facts must be right.
FACTS_NEEDED = 2


class IdentityFact(StrEnum):
    """What staff ask and compare with the record (B26)."""

    NAME = "name"
    ADDRESS = "address"
    PHONE = "phone"
    CHILD_BIRTHDATE = "child_birthdate"
    APPLICATION_NUMBER = "application_number"


class DocumentKind(StrEnum):
    """The kind of document seen; never its number (B10)."""

    MY_NUMBER_CARD = "my_number_card"
    DRIVING_LICENCE = "driving_licence"
    PASSPORT = "passport"
    RESIDENCE_CARD = "residence_card"
    OTHER_PHOTO = "other_photo"


class RecoveryOutcome(StrEnum):
    """What the help at the counter came to."""

    DONE = "done"
    UNKNOWN = "unknown"
    TOO_FEW_FACTS = "recovery_facts"
    NO_DOCUMENT = "recovery_document"
    REASON = "reason_missing"
    #: The record has no address and none was given.
    NO_ADDRESS = "recovery_no_address"
    #: The account is suspended, closed, or still a draft.
    NOT_NOW = "not_now"


@dataclass(frozen=True)
class CounterCheck:
    """What was checked of the person who stands at the counter, and why she came."""

    case: Case
    facts: frozenset[IdentityFact]
    document: DocumentKind | None
    #: A corrected address, parsed; empty = the one on record is right.
    email: str | None = None


def recover(
    db: Session, desk: Desk, check: CounterCheck, *, post: Post, now: datetime
) -> RecoveryOutcome:
    """Help someone who cannot sign in: correct the address if need be, and mail the notice.

    Staff neither set nor see a password: the old one and every code and link are void, and
    the mailbox's owner sets a new one.
    """
    account_id = check.case.account_id
    person = find_person(db, desk, account_id)
    if person is None:
        note_refusal(db, desk, account_id, now=now)
        return RecoveryOutcome.UNKNOWN
    fault = _fault_of(check, person)
    if fault is not None:
        return fault
    _write_proof(db, desk, check, now=now)
    if check.email is not None and check.email != person.email:
        outcome = correct_address(
            db, desk, AddressCase(check.case, check.email), post=post, now=now
        )
        assert outcome is Outcome.DONE  # everything it refuses was refused above
    else:
        _start_anew(db, person, post=post, now=now)
    if person.credential_state is CredentialState.SET:
        person.credential_state = CredentialState.RESET_REQUIRED
    lift_locks(db, account_id, now=now)
    return RecoveryOutcome.DONE


def _fault_of(check: CounterCheck, person: Account) -> RecoveryOutcome | None:
    if len(check.facts) < FACTS_NEEDED:
        return RecoveryOutcome.TOO_FEW_FACTS
    if check.document is None:
        return RecoveryOutcome.NO_DOCUMENT
    if not check.case.has_reason():
        return RecoveryOutcome.REASON
    if check.email is None and person.email is None:
        return RecoveryOutcome.NO_ADDRESS
    if person.status not in {AccountStatus.ISSUED, AccountStatus.ACTIVE}:
        return RecoveryOutcome.NOT_NOW
    return None


def _write_proof(db: Session, desk: Desk, check: CounterCheck, *, now: datetime) -> None:
    assert check.document is not None
    assert desk.actor.account_id is not None
    record_proof(db, desk, check.case.account_id, check.document, now=now)
    facts = " ".join(sorted(fact.value for fact in check.facts))
    note(
        db,
        desk,
        "account.recovered_at_counter",
        check.case.account_id,
        reason=check.case.reason,
        detail={"facts": facts, "document": check.document.value},
        now=now,
    )


def record_proof(
    db: Session, desk: Desk, account_id: UUID, document: DocumentKind, *, now: datetime
) -> None:
    """Write that a person's identity was checked at the counter (B10)."""
    assert desk.actor.account_id is not None  # a person looked at the document
    db.add(
        ProofingEvent(
            id=new_id(now=now),
            account_id=account_id,
            staff_id=desk.actor.account_id,
            method="counter",
            document_kind=document.value,
            at=now,
        )
    )


def _start_anew(db: Session, person: Account, *, post: Post, now: datetime) -> None:
    end_all_access(db, person.id, SessionEnd.STAFF, keys=post.keys, now=now)
    void_mailed_secrets(db, person.id, now=now)
    count_notice(db, person, post=post, now=now)
    announce_issue(db, person.id, post=post, now=now)
