"""For which household a person acts: the choice, and the making of it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.dates import TOKYO
from idp.domain.people.children import children_of
from idp.domain.people.households import memberships_of
from idp.domain.signin.interactions import record_household
from idp.domain.signin.sessions import SignedIn, choose_household
from idp.domain.upkeep.audit import Act, Actor, record


@dataclass(frozen=True)
class HouseholdChoice:
    """One household a person may act for, as the page shows it."""

    id: UUID
    representative_name: str
    own: bool
    #: Last day of a delegation that ends.
    until: date | None
    children: tuple[str, ...]


def household_choices(
    db: Session, person: SignedIn, *, now: datetime
) -> tuple[HouseholdChoice, ...]:
    """Return the households of the person, her own first."""
    choices = [
        HouseholdChoice(
            id=each.household_id,
            representative_name=each.representative_name,
            own=each.representative_id == person.account_id,
            until=each.valid_until.astimezone(TOKYO).date() if each.valid_until else None,
            children=tuple(child.name for child in children_of(db, each.household_id, now=now)),
        )
        for each in memberships_of(db, person.account_id, now=now)
    ]
    return tuple(sorted(choices, key=lambda choice: not choice.own))


def act_for(
    db: Session,
    person: SignedIn,
    household_id: UUID,
    walk_id: UUID | None,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Let the person act for one of her households; False for any other (TN-05)."""
    households = {each.household_id for each in memberships_of(db, person.account_id, now=now)}
    if household_id not in households:
        return False
    choose_household(db, person.session_id, household_id)
    if walk_id is not None:
        record_household(db, walk_id, household_id)
    act = Act(
        "session.acts_for",
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
        detail={"household_id": str(household_id)},
    )
    record(db, act, actor=actor, now=now)
    return True
