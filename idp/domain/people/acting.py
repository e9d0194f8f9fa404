"""Whether a person may act for a household, as a condition of statements that ask more."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from idp.db.rows import fetch_all
from idp.db.types import UtcDateTime
from idp.domain.people.households import is_in_force
from idp.model.households import Household, HouseholdStatus, Membership, MembershipRole
from idp.model.people import Account, AccountStatus

#: Bound to the moment of the question by whoever runs the statement.
NOW: Any = bindparam("now", type_=UtcDateTime())

# Tables, not classes: these statements run below the object mapper (idp.db.rows).
_household: Any = Household.__table__
_membership: Any = Membership.__table__
_representative: Any = _membership.alias("representative")
_representative_account: Any = Account.__table__.alias("representative_account")


def acts_for_its_household(holder: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the condition that the person of a row may (still) act for the household of it.

    `holder` is a table with `account_id` and `household_id`. The same rule as
    `memberships_of`: the membership is in force, and so is the one who stands behind it (PX-03).
    """
    here = _membership.c.household_id == holder.c.household_id
    return exists(_memberships(holder).where(here).correlate(holder))


def acts_for_some_household(holder: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the condition that the person of a row may act for any household at all."""
    return exists(_memberships(holder).correlate(holder))


def household_is_settled(holder: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the condition that there is no choice to make, and none to write into the row."""
    has_none = and_(holder.c.household_id.is_(None), ~acts_for_some_household(holder))
    return or_(acts_for_its_household(holder), has_none)


def find_only_household(db: Session, account_id: UUID, *, now: datetime) -> UUID | None:
    """Return the household of a person who has exactly one; others choose (ActingFor)."""
    rows = fetch_all(db, _FIRST_TWO, {"account": account_id, "now": now})
    return rows[0].household_id if len(rows) == 1 else None


def _memberships(holder: Any) -> Select[Any]:  # noqa: ANN401
    return _in_force().where(_membership.c.account_id == holder.c.account_id)


def _in_force() -> Select[Any]:
    return (
        select(_membership.c.household_id)
        .select_from(
            _membership.join(_household, _membership.c.household_id == _household.c.id)
            .join(_representative, _representative.c.household_id == _household.c.id)
            .join(
                _representative_account,
                _representative.c.account_id == _representative_account.c.id,
            )
        )
        .where(
            is_in_force(_membership.c, NOW),
            is_in_force(_representative.c, NOW),
            _representative.c.role == MembershipRole.REPRESENTATIVE,
            _representative_account.c.status != AccountStatus.SUSPENDED,
            _representative_account.c.status != AccountStatus.CLOSED,
            _household.c.status == HouseholdStatus.ACTIVE,
            _household.c.valid_from <= NOW,
            or_(_household.c.valid_until.is_(None), _household.c.valid_until > NOW),
        )
    )


_FIRST_TWO = _in_force().where(_membership.c.account_id == bindparam("account")).limit(2)
