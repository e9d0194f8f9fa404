"""What staff see of one person or one household; every look is written down (TN-07)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.contact import show_phone
from idp.base.text import login_key
from idp.domain.people.children import KnownChild, children_of
from idp.domain.people.memberships import Member, MemberStanding, members_of
from idp.domain.people.names import PersonName, full_name
from idp.domain.people.profiles import name_of
from idp.domain.people.protection import Protection, find_protection
from idp.domain.staff.desk import Desk, find_household, find_person, note, note_refusal
from idp.domain.staff.logbook import LoggedAct, acts_about
from idp.domain.staff.standing import (
    MailStanding,
    Stage,
    Standing,
    find_lock,
    mail_standing,
    newest_notice_state,
    stage_of,
    standing_of,
)
from idp.model.households import Household, HouseholdStatus, Membership, MembershipRole
from idp.model.people import Account, IntakeRoute, ProofingEvent
from idp.model.upkeep import OutboxKind, OutboxMessage, OutboxState

_MAILS_SHOWN = 10
_ACTS_SHOWN = 10


@dataclass(frozen=True)
class SentMail:
    """One mail to a person and what became of it; never its words."""

    name: str
    state: OutboxState
    created_at: datetime
    sent_at: datetime | None
    try_count: int
    #: A short reason written by us, or the reply code of the mail server.
    problem: str | None


@dataclass(frozen=True)
class Belonging:
    """A household the person belongs to."""

    household_id: UUID
    application_number: str | None
    role: MembershipRole
    standing: MemberStanding
    last_day: date | None


@dataclass(frozen=True)
class Proof:
    """An identity check: which kind of document, when, by whom."""

    document_kind: str
    at: datetime
    staff_name: str


@dataclass(frozen=True)
class PersonDossier:
    """Everything the page of a person shows."""

    account_id: UUID
    name: PersonName
    email: str | None
    #: Named only where it is not the address.
    login_number: str | None
    #: As it is written in Japan.
    phone_number: str | None
    locale: str
    intake_route: IntakeRoute
    standing: Standing
    mail: MailStanding
    stage: Stage
    locked_until: datetime | None
    issued_at: datetime | None
    activated_at: datetime | None
    last_sign_in_at: datetime | None
    households: tuple[Belonging, ...]
    mails: tuple[SentMail, ...]
    proofs: tuple[Proof, ...]
    protection: Protection | None
    acts: tuple[LoggedAct, ...]


def view_person(
    db: Session, desk: Desk, account_id: UUID, *, now: datetime
) -> PersonDossier | None:
    """Return what the desk knows of a person, and write down that it was looked at."""
    account = find_person(db, desk, account_id)
    if account is None:
        note_refusal(db, desk, account_id, now=now)
        return None
    newest = db.scalar(select(newest_notice_state()).where(Account.id == account_id))
    dossier = PersonDossier(
        account_id=account.id,
        name=name_of(account),
        email=account.email,
        login_number=_login_number(account),
        phone_number=show_phone(account.phone_number) if account.phone_number else None,
        locale=account.locale,
        intake_route=account.intake_route,
        standing=standing_of(account),
        mail=mail_standing(account, newest),
        stage=stage_of(db, account, newest),
        locked_until=find_lock(db, account_id, now=now),
        issued_at=account.issued_at,
        activated_at=account.activated_at,
        last_sign_in_at=account.last_sign_in_at,
        households=_belongings(db, desk, account_id, now=now),
        mails=_mails(db, account_id),
        proofs=_proofs(db, account_id),
        protection=find_protection(db, account_id),
        acts=acts_about(db, desk, account_id, limit=_ACTS_SHOWN),
    )
    note(db, desk, "person.viewed", account_id, now=now)
    return dossier


def _login_number(account: Account) -> str | None:
    if account.email is not None and account.login_id == login_key(account.email):
        return None
    return account.login_id


def _belongings(
    db: Session, desk: Desk, account_id: UUID, *, now: datetime
) -> tuple[Belonging, ...]:
    rows = db.execute(
        select(Household.id, Household.application_number)
        .where(
            Household.id.in_(
                select(Membership.household_id).where(Membership.account_id == account_id)
            ),
            Household.municipality_id == desk.municipality_id,
        )
        .order_by(Household.valid_from, Household.id)
    ).all()
    return tuple(
        Belonging(household_id, number, member.role, member.standing, member.last_day)
        for household_id, number in rows
        for member in members_of(db, household_id, now=now)
        if member.account_id == account_id
    )


def _mails(db: Session, account_id: UUID) -> tuple[SentMail, ...]:
    rows = db.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.account_id == account_id, OutboxMessage.kind == OutboxKind.MAIL)
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        .limit(_MAILS_SHOWN)
    )
    return tuple(
        SentMail(
            name=row.name,
            state=row.state,
            created_at=row.created_at,
            sent_at=row.sent_at,
            try_count=row.try_count,
            problem=row.last_problem,
        )
        for row in rows
    )


def _proofs(db: Session, account_id: UUID) -> tuple[Proof, ...]:
    rows = db.execute(
        select(ProofingEvent, Account.family_name, Account.given_name)
        .join(Account, ProofingEvent.staff_id == Account.id)
        .where(ProofingEvent.account_id == account_id)
        .order_by(ProofingEvent.at.desc())
    )
    return tuple(
        Proof(event.document_kind, event.at, full_name(family_name, given_name))
        for event, family_name, given_name in rows
    )


@dataclass(frozen=True)
class HouseholdDossier:
    """Everything the page of a household shows."""

    household_id: UUID
    application_number: str | None
    status: HouseholdStatus
    members: tuple[Member, ...]
    children: tuple[KnownChild, ...]
    #: Members whose own page this desk may open.
    own_people: frozenset[UUID]

    def proxies(self) -> tuple[Member, ...]:
        """The proxies whose membership has not ended."""
        return tuple(
            member
            for member in self.members
            if member.role is MembershipRole.PROXY and member.standing is not MemberStanding.ENDED
        )


def view_household(
    db: Session, desk: Desk, household_id: UUID, *, now: datetime
) -> HouseholdDossier | None:
    """Return a household with its members and children, and write down that it was looked at."""
    household = find_household(db, desk, household_id)
    if household is None:
        note_refusal(db, desk, household_id, now=now)
        return None
    members = members_of(db, household_id, now=now)
    note(db, desk, "household.viewed", household_id, now=now)
    return HouseholdDossier(
        household_id=household.id,
        application_number=household.application_number,
        status=household.status,
        members=members,
        children=children_of(db, household_id, now=now),
        own_people=frozenset(
            member.account_id
            for member in members
            if find_person(db, desk, member.account_id) is not None
        ),
    )
