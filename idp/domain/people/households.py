"""Households: open one, say who belongs to it now, and who is to be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from idp.base.ids import new_id
from idp.domain.people.facts import application_key
from idp.domain.people.names import full_name
from idp.domain.people.protection import protected_among
from idp.model.households import (
    Household,
    HouseholdStatus,
    Membership,
    MembershipRole,
    MembershipStatus,
    Municipality,
)
from idp.model.people import Account, AccountStatus

#: Accounts that do not stand for anyone at the moment: what they granted is void (PX-03).
_STOPPED = (AccountStatus.SUSPENDED, AccountStatus.CLOSED)


@dataclass(frozen=True)
class ActiveMembership:
    """That a person may act for a household now."""

    membership_id: UUID
    household_id: UUID
    municipality_id: UUID
    municipality_code: str
    role: MembershipRole
    #: Category codes and whether they are on; empty = everything (A35).
    categories: Mapping[str, bool]
    valid_from: datetime
    valid_until: datetime | None
    #: Whose household it is, for the page that asks for whom one acts.
    representative_id: UUID
    representative_name: str


@dataclass(frozen=True)
class Recipient:
    """Someone who gets the business mails of a household."""

    account_id: UUID
    role: MembershipRole
    locale: str


def open_household(
    db: Session, municipality_id: UUID, application_number: str | None, *, now: datetime
) -> UUID:
    """Write a new household; its id is what records at services hang on."""
    household = Household(
        id=new_id(now=now),
        municipality_id=municipality_id,
        status=HouseholdStatus.ACTIVE,
        application_number=application_number,
        application_key=application_key(application_number or "") or None,
        valid_from=now,
        created_at=now,
        updated_at=now,
    )
    db.add(household)
    db.flush()  # members and children refer to it
    return household.id


def memberships_of(db: Session, account_id: UUID, *, now: datetime) -> tuple[ActiveMembership, ...]:
    """Return the households a person may act for now, her own first.

    A proxy acts only while the representative's account stands: a delegation ends with the
    one who stands behind it. A draft or a person without e-mail does stand.
    """
    rows = db.execute(_acting_memberships(now).where(Membership.account_id == account_id))
    found = [_read_membership(*row) for row in rows]
    return tuple(sorted(found, key=lambda each: each.role is MembershipRole.PROXY))


def find_membership(
    db: Session, account_id: UUID, household_id: UUID, *, now: datetime
) -> ActiveMembership | None:
    """Return how a person belongs to a household now, if she may act for it."""
    for membership in memberships_of(db, account_id, now=now):
        if membership.household_id == household_id:
            return membership
    return None


_Representative = aliased(Membership)
_RepresentativeAccount = aliased(Account)


def _acting_memberships(now: datetime) -> Select[Membership, Household, str, UUID, str, str]:
    return (
        select(
            Membership,
            Household,
            Municipality.code,
            _RepresentativeAccount.id,
            _RepresentativeAccount.family_name,
            _RepresentativeAccount.given_name,
        )
        .join(Household, Membership.household_id == Household.id)
        .join(Municipality, Household.municipality_id == Municipality.id)
        .join(_Representative, _Representative.household_id == Household.id)
        .join(_RepresentativeAccount, _Representative.account_id == _RepresentativeAccount.id)
        .where(
            is_in_force(Membership, now),
            is_in_force(_Representative, now),
            _Representative.role == MembershipRole.REPRESENTATIVE,
            _RepresentativeAccount.status.not_in(_STOPPED),
            Household.status == HouseholdStatus.ACTIVE,
            Household.valid_from <= now,
            or_(Household.valid_until.is_(None), Household.valid_until > now),
        )
        .order_by(Membership.valid_from, Membership.id)
    )


def is_in_force(membership: type[Membership], now: datetime) -> ColumnElement[bool]:
    """Return the condition that a membership is active and within its period."""
    return and_(
        membership.status == MembershipStatus.ACTIVE,
        membership.valid_from <= now,
        or_(membership.valid_until.is_(None), membership.valid_until > now),
    )


def _read_membership(
    membership: Membership,
    household: Household,
    municipality_code: str,
    representative_id: UUID,
    family_name: str,
    given_name: str,
) -> ActiveMembership:
    return ActiveMembership(
        membership_id=membership.id,
        household_id=household.id,
        municipality_id=household.municipality_id,
        municipality_code=municipality_code,
        role=membership.role,
        categories={code: bool(on) for code, on in membership.categories.items()},
        valid_from=membership.valid_from,
        valid_until=membership.valid_until,
        representative_id=representative_id,
        representative_name=full_name(family_name, given_name),
    )


def recipients_of(db: Session, household_id: UUID, *, now: datetime) -> tuple[Recipient, ...]:
    """Return who gets the business mails of a household (A33, A36).

    Everyone who may act for it and has started, unless someone in it is protected: then only
    the protected (D3), because a copy could tell the other where she and the child will be.
    """
    rows = db.execute(
        _acting_memberships(now)
        .join(Account, Membership.account_id == Account.id)
        .where(
            Membership.household_id == household_id,
            Membership.receives_mail.is_(True),
            Account.status == AccountStatus.ACTIVE,
            Account.email.is_not(None),
        )
        .add_columns(Account.locale)
    )
    found = tuple(
        Recipient(account_id=row[0].account_id, role=row[0].role, locale=row[-1]) for row in rows
    )
    protected = protected_members(db, household_id, now=now)
    if not protected:
        return found
    return tuple(each for each in found if each.account_id in protected)


def protected_members(db: Session, household_id: UUID, *, now: datetime) -> frozenset[UUID]:
    """Return the members of a household whose protection flag holds."""
    members = db.scalars(
        select(Membership.account_id).where(
            Membership.household_id == household_id, is_in_force(Membership, now)
        )
    )
    return protected_among(db, frozenset(members))
