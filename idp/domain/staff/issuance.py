"""Issuing: register a family, issue the accounts as an act of its own, mail the notice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.domain.grants.security_events import tell_of_household
from idp.domain.people import accounts
from idp.domain.people.memberships import find_representative
from idp.domain.staff.announcements import (
    announce_issue,
    announce_proxies,
    announce_proxy,
    count_notice,
)
from idp.domain.staff.applications import ApplyingProxy, FamilyApplication
from idp.domain.staff.desk import Desk, Post, find_household, find_person, note, note_refusal
from idp.domain.staff.registration import (
    RefusedMember,
    RegisteredFamily,
    RegistrationFault,
    find_known,
    join_proxy,
    write_family,
)
from idp.model.people import Account, AccountStatus
from idp.protocol.events import SecurityEvent


@dataclass(frozen=True)
class AlreadyRegistered:
    """The municipality knows this person: by the external key, or by name and address."""

    account_id: UUID


def register_family(
    db: Session, desk: Desk, application: FamilyApplication, *, now: datetime
) -> RegisteredFamily | AlreadyRegistered | RegistrationFault:
    """Write a family as drafts (A02): all of it or nothing; nobody is told yet.

    The same external key, or the same name at the same address, is the same person: then
    nothing is written, and the answer says who it is.
    """
    known = find_known(db, desk, application.guardian)
    if known is not None:
        return AlreadyRegistered(known)
    try:
        with db.begin_nested():
            return write_family(db, desk, application, now=now)
    except RefusedMember as refused:
        return refused.fault
    except IntegrityError:
        # Another request registered the same external key a moment ago.
        known = find_known(db, desk, application.guardian)
        if known is None:
            raise
        return AlreadyRegistered(known)


class IssueOutcome(StrEnum):
    """What issuing one account came to."""

    MAILED = "issued_mailed"
    #: Issued, but without an address: no sign-in until there is one (A39).
    WITHOUT_MAIL = "issued_without_mail"
    NOT_DRAFT = "issue_not_draft"
    UNKNOWN = "unknown"


def issue_account(
    db: Session, desk: Desk, account_id: UUID, *, post: Post, now: datetime
) -> IssueOutcome:
    """Issue a draft (A04): the explicit act after which the notice leaves (A03, A05).

    The notice holds no secret. Doing it twice is harmless: the second finds no draft.
    """
    person = find_person(db, desk, account_id)
    if person is None:
        note_refusal(db, desk, account_id, now=now)
        return IssueOutcome.UNKNOWN
    if not accounts.issue(db, account_id, now=now):
        return IssueOutcome.NOT_DRAFT
    note(db, desk, "account.issued", account_id, now=now)
    announce_proxies(db, account_id, post=post, now=now)
    if person.email is None:
        return IssueOutcome.WITHOUT_MAIL
    count_notice(db, person, post=post, now=now)
    announce_issue(db, account_id, post=post, now=now)
    return IssueOutcome.MAILED


def issue_family(
    db: Session, desk: Desk, family: RegisteredFamily, *, post: Post, now: datetime
) -> Mapping[UUID, IssueOutcome]:
    """Issue every draft of a family that was just registered.

    A proxy who had an account before is told of the household only.
    """
    outcomes = {
        account_id: issue_account(db, desk, account_id, post=post, now=now)
        for account_id in (family.guardian_id, *family.proxy_ids)
    }
    for proxy_id in family.proxy_ids:
        if outcomes[proxy_id] is IssueOutcome.NOT_DRAFT:
            announce_proxy(db, family.household_id, proxy_id, post=post, now=now)
    return outcomes


@dataclass(frozen=True)
class AddedProxy:
    """The proxy's account, new or known before."""

    account_id: UUID


def add_proxy(
    db: Session,
    desk: Desk,
    household_id: UUID,
    proxy: ApplyingProxy,
    *,
    post: Post,
    now: datetime,
) -> AddedProxy | RegistrationFault:
    """Add a proxy to a household (A37), issue a new account at once, and tell both sides."""
    if find_household(db, desk, household_id) is None:
        note_refusal(db, desk, household_id, now=now)
        return RegistrationFault.HOUSEHOLD_UNKNOWN
    if find_representative(db, household_id, now=now) is None:
        return RegistrationFault.HOUSEHOLD_UNKNOWN
    try:
        with db.begin_nested():
            proxy_id = join_proxy(db, desk, household_id, proxy, now=now)
    except RefusedMember as refused:
        return refused.fault
    event = SecurityEvent.MEMBER_ADDED
    tell_of_household(db, event, household_id, proxy_id, keys=post.keys, now=now)
    if db.get_one(Account, proxy_id).status is AccountStatus.DRAFT:
        issue_account(db, desk, proxy_id, post=post, now=now)
    else:
        announce_proxy(db, household_id, proxy_id, post=post, now=now)
    return AddedProxy(proxy_id)
