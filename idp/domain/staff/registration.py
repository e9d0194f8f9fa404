"""Registration: the rows of a family, written together or not at all."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.domain.people import accounts
from idp.domain.people.accounts import NewAccount
from idp.domain.people.children import add_child
from idp.domain.people.households import open_household
from idp.domain.people.memberships import MemberFault, NewMember, add_member
from idp.domain.staff.applications import Applicant, ApplyingProxy, FamilyApplication
from idp.domain.staff.desk import Desk, find_household, note
from idp.model.households import MembershipRole
from idp.model.people import Account, Door, IntakeRoute


@dataclass(frozen=True)
class RegisteredFamily:
    """The rows that now exist; drafts are issued by `issue_account`."""

    household_id: UUID
    guardian_id: UUID
    proxy_ids: tuple[UUID, ...]


class RegistrationFault(StrEnum):
    """Why nothing was registered."""

    HOUSEHOLD_UNKNOWN = "household_unknown"
    HAS_REPRESENTATIVE = "has_representative"
    ALREADY_MEMBER = "already_member"
    PROXY_PERIOD = "proxy_period"


class RefusedMember(Exception):  # noqa: N818 - what happened, not a crash
    """A member could not be added: nothing of the registration may stay."""

    def __init__(self, fault: RegistrationFault) -> None:
        super().__init__(fault)
        self.fault = fault


def find_known(db: Session, desk: Desk, person: Applicant) -> UUID | None:
    """Return the account the municipality has for this person already."""
    if person.external_key:
        by_key = db.scalar(
            select(Account.id).where(
                Account.municipality_id == desk.municipality_id,
                Account.external_key == person.external_key,
            )
        )
        if by_key is not None:
            return by_key
    if not person.email:
        return None
    return accounts.find_same_person(db, desk.municipality_id, email=person.email, name=person.name)


def write_family(
    db: Session, desk: Desk, application: FamilyApplication, *, now: datetime
) -> RegisteredFamily:
    """Write household, accounts, children and memberships; the caller undoes a half.

    Raises:
        RefusedMember: the household is not this municipality's, or someone cannot join it.
    """
    household_id = _resolve_household(db, desk, application, now=now)
    route = application.intake_route
    guardian_id = _create(db, desk, application.guardian, route, now=now)
    role = MembershipRole.REPRESENTATIVE
    _join(db, NewMember(household_id, guardian_id, role), now=now)
    for child in application.children:
        add_child(db, household_id, child, now=now)
    proxy_ids = tuple(
        join_proxy(db, desk, household_id, proxy, now=now) for proxy in application.proxies
    )
    note(
        db,
        desk,
        "family.registered",
        guardian_id,
        reason=route.value,
        detail={
            "household_id": str(household_id),
            "children": len(application.children),
            "proxies": len(proxy_ids),
        },
        now=now,
    )
    return RegisteredFamily(household_id, guardian_id, proxy_ids)


def _resolve_household(
    db: Session, desk: Desk, application: FamilyApplication, *, now: datetime
) -> UUID:
    if application.household_id is None:
        return open_household(db, desk.municipality_id, application.application_number, now=now)
    if find_household(db, desk, application.household_id) is None:
        raise RefusedMember(RegistrationFault.HOUSEHOLD_UNKNOWN)
    return application.household_id


def _create(
    db: Session, desk: Desk, person: Applicant, route: IntakeRoute, *, now: datetime
) -> UUID:
    new = NewAccount(
        door=Door.FAMILY,
        municipality_id=desk.municipality_id,
        name=person.name,
        email=person.email,
        phone_number=person.phone_number,
        locale=person.locale,
        intake_route=route,
        external_key=person.external_key,
    )
    return accounts.create_account(db, new, now=now)


def _join(db: Session, member: NewMember, *, now: datetime) -> None:
    outcome = add_member(db, member, now=now)
    match outcome:
        case MemberFault.ALREADY_MEMBER:
            raise RefusedMember(RegistrationFault.ALREADY_MEMBER)
        case MemberFault.HAS_REPRESENTATIVE:
            raise RefusedMember(RegistrationFault.HAS_REPRESENTATIVE)
        case MemberFault.PERIOD:
            raise RefusedMember(RegistrationFault.PROXY_PERIOD)
        case UUID():
            return


def join_proxy(
    db: Session, desk: Desk, household_id: UUID, proxy: ApplyingProxy, *, now: datetime
) -> UUID:
    """Make somebody a proxy; who has an account here already keeps it (A34)."""
    proxy_id = find_known(db, desk, proxy.person)
    if proxy_id is None:
        proxy_id = _create(db, desk, proxy.person, IntakeRoute.STAFF, now=now)
    member = NewMember(
        household_id=household_id,
        account_id=proxy_id,
        role=MembershipRole.PROXY,
        relationship=proxy.relationship,
        categories=proxy.categories,
        valid_until=proxy.valid_until,
    )
    _join(db, member, now=now)
    note(
        db,
        desk,
        "proxy.added",
        proxy_id,
        detail={"household_id": str(household_id)},
        now=now,
    )
    return proxy_id
