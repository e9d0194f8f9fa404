"""What only the family knows: asked once, so that a mistyped address does not own an account."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from idp.base.text import drop_dashes, search_key
from idp.model.households import Child, Household, Membership, MembershipStatus


def application_key(text: str) -> str:
    """Return what application numbers are compared by: no matter its width, case, spaces, dashes.

    Migration 0010 knows the same rule; another rule needs another migration.
    """
    return drop_dashes(search_key(text))


def knows_the_family(
    db: Session,
    account_id: UUID,
    *,
    application_number: str | None = None,
    birthdate: date | None = None,
    now: datetime,
) -> bool:
    """Whether the number or the birthdate belongs to a household of this person.

    One right fact is enough; whoever asks counts the wrong ones.
    """
    wanted = []
    if application_number and (key := application_key(application_number)):
        wanted.append(Household.application_key == key)
    if birthdate is not None:
        of_child = select(Child.household_id).where(Child.birthdate == birthdate)
        wanted.append(Household.id.in_(of_child))
    if not wanted:
        return False
    found = db.scalar(
        select(Household.id)
        .join(Membership, Membership.household_id == Household.id)
        .where(
            Membership.account_id == account_id,
            Membership.status.in_((MembershipStatus.ACTIVE, MembershipStatus.INVITED)),
            or_(Membership.valid_until.is_(None), Membership.valid_until > now),
            or_(*wanted),
        )
        .limit(1)
    )
    return found is not None
