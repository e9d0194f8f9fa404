"""A person's own households, as she may see them: members, children, nothing that protects."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.people.children import KnownChild, children_of
from idp.domain.people.households import ActiveMembership, memberships_of
from idp.domain.people.memberships import MemberStanding, last_day, members_of
from idp.model.households import MembershipRole


@dataclass(frozen=True)
class FellowMember:
    """Someone of the household: no address, no state of the account, no flag (D3)."""

    membership_id: UUID
    name: str
    role: str
    until: date | None
    you: bool

    @property
    def is_proxy(self) -> bool:
        """Whether it is a proxy, whom the representative may remove."""
        return self.role == MembershipRole.PROXY


@dataclass(frozen=True)
class OwnHousehold:
    """A household a person may act for now."""

    household_id: UUID
    representative_name: str
    #: The person represents it; otherwise she is a proxy.
    own: bool
    until: date | None
    members: tuple[FellowMember, ...]
    children: tuple[KnownChild, ...]


def list_own_households(
    db: Session, account_id: UUID, *, now: datetime
) -> tuple[OwnHousehold, ...]:
    """Return the households a person may act for now, her own first (A34, A42)."""
    return tuple(
        _read_household(db, membership, account_id, now=now)
        for membership in memberships_of(db, account_id, now=now)
    )


def _read_household(
    db: Session, membership: ActiveMembership, account_id: UUID, *, now: datetime
) -> OwnHousehold:
    household_id = membership.household_id
    members = tuple(
        FellowMember(
            membership_id=member.membership_id,
            name=member.name,
            role=member.role.value,
            until=member.last_day,
            you=member.account_id == account_id,
        )
        for member in members_of(db, household_id, now=now)
        if member.standing is MemberStanding.ACTIVE
    )
    until = membership.valid_until
    return OwnHousehold(
        household_id=household_id,
        representative_name=membership.representative_name,
        own=membership.role is MembershipRole.REPRESENTATIVE,
        until=last_day(until) if until else None,
        members=members,
        children=children_of(db, household_id, now=now),
    )
