"""Memberships: make someone a member of a household, list its members, end a membership."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.dates import TOKYO
from idp.base.ids import new_id
from idp.domain.people.households import is_in_force
from idp.domain.people.names import full_name
from idp.model.households import Household, Membership, MembershipRole, MembershipStatus
from idp.model.people import Account

#: A proxy's period is at most a year (D2); a leap day and the rest of the last day included.
LONGEST_PROXY = timedelta(days=367)
#: What a proxy may do less than everything; equality is the default (A35).
CATEGORIES = ("booking", "certificate")
RELATIONSHIPS = ("mother", "father", "grandparent", "other")


class MemberStanding(StrEnum):
    """How a membership stands today, its period looked at."""

    ACTIVE = "active"
    INVITED = "invited"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True)
class NewMember:
    """Who is to belong to which household, as what, until when."""

    household_id: UUID
    account_id: UUID
    role: MembershipRole
    relationship: str | None = None
    #: Category codes and whether they are on; empty = everything.
    categories: Mapping[str, bool] | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True)
class Member:
    """A member of a household, for those who manage it."""

    membership_id: UUID
    account_id: UUID
    name: str
    role: MembershipRole
    relationship: str | None
    standing: MemberStanding
    categories: Mapping[str, bool]
    valid_until: datetime | None

    @property
    def last_day(self) -> date | None:
        """The last day of the period, in Japan."""
        return last_day(self.valid_until) if self.valid_until else None


def last_day(valid_until: datetime) -> date:
    """Return the day on which a period is still good: it ends with that day."""
    return (valid_until.astimezone(TOKYO) - timedelta(microseconds=1)).date()


class MemberFault(StrEnum):
    """Why somebody did not become a member."""

    ALREADY_MEMBER = "already_member"
    HAS_REPRESENTATIVE = "has_representative"
    PERIOD = "proxy_period"


def add_member(db: Session, new: NewMember, *, now: datetime) -> UUID | MemberFault:
    """Make an account a member; a household has one representative at a time.

    The household's row is written first, so that of two at once the second sees the first.
    """
    if new.role is MembershipRole.PROXY and not _is_bounded(new.valid_until, now=now):
        return MemberFault.PERIOD
    db.execute(update(Household).where(Household.id == new.household_id).values(updated_at=now))
    standing = _standing_members(db, new.household_id, now=now)
    if any(member.account_id == new.account_id for member in standing):
        return MemberFault.ALREADY_MEMBER
    if new.role is MembershipRole.REPRESENTATIVE and _is_represented(standing):
        return MemberFault.HAS_REPRESENTATIVE
    return _write(db, new, now=now)


def has_representative(db: Session, household_id: UUID, *, now: datetime) -> bool:
    """Whether nobody else can become the representative of a household."""
    return _is_represented(_standing_members(db, household_id, now=now))


def _standing_members(db: Session, household_id: UUID, *, now: datetime) -> list[Member]:
    over = (MemberStanding.ENDED, MemberStanding.EXPIRED)
    members = members_of(db, household_id, now=now)
    return [member for member in members if member.standing not in over]


def _is_represented(standing: list[Member]) -> bool:
    return any(member.role is MembershipRole.REPRESENTATIVE for member in standing)


def _is_bounded(valid_until: datetime | None, *, now: datetime) -> bool:
    return valid_until is not None and now < valid_until <= now + LONGEST_PROXY


def _write(db: Session, new: NewMember, *, now: datetime) -> UUID:
    membership = Membership(
        id=new_id(now=now),
        household_id=new.household_id,
        account_id=new.account_id,
        role=new.role,
        status=MembershipStatus.ACTIVE,
        relationship=new.relationship,
        categories=dict(new.categories or {}),
        valid_from=now,
        valid_until=new.valid_until,
        created_at=now,
        updated_at=now,
    )
    db.add(membership)
    db.flush()  # what is asked next in this transaction must see it
    return membership.id


def members_of(db: Session, household_id: UUID, *, now: datetime) -> tuple[Member, ...]:
    """Return everyone who belongs or belonged to a household, the representative first."""
    rows = db.execute(
        select(Membership, Account.family_name, Account.given_name)
        .join(Account, Membership.account_id == Account.id)
        .where(Membership.household_id == household_id)
        .order_by(Membership.role.desc(), Membership.valid_from, Membership.id)
    )
    return tuple(
        Member(
            membership_id=membership.id,
            account_id=membership.account_id,
            name=full_name(family_name, given_name),
            role=membership.role,
            relationship=membership.relationship,
            standing=_standing(membership, now=now),
            categories={code: bool(on) for code, on in membership.categories.items()},
            valid_until=membership.valid_until,
        )
        for membership, family_name, given_name in rows
    )


def _standing(membership: Membership, *, now: datetime) -> MemberStanding:
    if membership.status is MembershipStatus.ENDED:
        return MemberStanding.ENDED
    if membership.valid_until is not None and membership.valid_until <= now:
        return MemberStanding.EXPIRED
    return MemberStanding(membership.status.value)


def find_representative(db: Session, household_id: UUID, *, now: datetime) -> UUID | None:
    """Return the account of the household's representative."""
    return db.scalar(
        select(Membership.account_id).where(
            Membership.household_id == household_id,
            Membership.role == MembershipRole.REPRESENTATIVE,
            is_in_force(Membership, now),
        )
    )


def find_proxy(db: Session, household_id: UUID, membership_id: UUID) -> UUID | None:
    """Return the account of a proxy of this household whose membership has not ended."""
    return db.scalar(
        select(Membership.account_id).where(
            Membership.id == membership_id,
            Membership.household_id == household_id,
            Membership.role == MembershipRole.PROXY,
            Membership.status != MembershipStatus.ENDED,
        )
    )


def end_membership(db: Session, membership_id: UUID, *, now: datetime) -> bool:
    """End a membership at once; tell whether this call did it. The row stays as history.

    Whoever calls this ends sessions and tokens too (idp.domain.access.proxies).
    """
    result = db.execute(
        update(Membership)
        .where(Membership.id == membership_id, Membership.status != MembershipStatus.ENDED)
        .values(status=MembershipStatus.ENDED, ended_at=now, updated_at=now)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
