"""Households at the desk: which one an application means, a proxy taken out, a child added."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.text import search_key, tidy_number
from idp.domain.access.proxies import ProxyCase, Removal, remove_proxy
from idp.domain.people.children import NewChild, add_child, has_child
from idp.domain.people.facts import application_key
from idp.domain.staff.control import Outcome
from idp.domain.staff.desk import Desk, Post, find_household, note, note_refusal
from idp.model.households import Household, HouseholdStatus


class HouseholdChoice(StrEnum):
    """Whether an application is of a new family or of one that is registered."""

    NEW = "new"
    EXISTING = "existing"


class HouseholdFault(StrEnum):
    """Why the household of an application could not be told."""

    #: A new household was wanted, but its number is registered already.
    NUMBER_TAKEN = "application_taken"
    #: A registered household was wanted, but none has this number.
    NO_SUCH_NUMBER = "application_unknown"
    #: A registered household was wanted; several have this number, their dashes elsewhere.
    SEVERAL = "application_several"


def resolve_household(
    db: Session, desk: Desk, number: str | None, choice: HouseholdChoice
) -> UUID | HouseholdFault | None:
    """Return the registered household of an application; None if it becomes a new one."""
    found = _find_by_number(db, desk, number or "")
    match choice:
        case HouseholdChoice.NEW:
            return HouseholdFault.NUMBER_TAKEN if found else None
        case HouseholdChoice.EXISTING if len(found) > 1:
            return HouseholdFault.SEVERAL
        case HouseholdChoice.EXISTING:
            return found[0] if found else HouseholdFault.NO_SUCH_NUMBER


def _find_by_number(db: Session, desk: Desk, number: str) -> tuple[UUID, ...]:
    """Return the household spelled so, or else all that may be meant.

    A number without dashes may mean any; 12-3 never means 1-23.
    """
    rows = db.execute(
        select(Household.id, Household.application_number)
        .where(
            Household.municipality_id == desk.municipality_id,
            Household.application_key == application_key(number),
            Household.status == HouseholdStatus.ACTIVE,
        )
        .order_by(Household.created_at)
    )
    wanted = _spelling(number)
    found = [(household_id, _spelling(known or "")) for household_id, known in rows]
    for household_id, known in found:
        if known == wanted:
            return (household_id,)
    return tuple(each for each, known in found if "-" not in known or "-" not in wanted)


def _spelling(number: str) -> str:
    return search_key(tidy_number(number))


def take_out_proxy(
    db: Session, desk: Desk, case: ProxyCase, *, post: Post, now: datetime
) -> Outcome:
    """Remove a proxy at the desk: at once, with sessions and tokens (A37)."""
    if find_household(db, desk, case.household_id) is None:
        note_refusal(db, desk, case.household_id, now=now)
        return Outcome.UNKNOWN
    removal = remove_proxy(db, case, "staff", actor=desk.actor, keys=post.keys, now=now)
    return Outcome.DONE if removal is Removal.DONE else Outcome.UNKNOWN


def register_child(
    db: Session, desk: Desk, household_id: UUID, child: NewChild, *, now: datetime
) -> Outcome:
    """Write another child into a household; the same form sent twice writes one."""
    if find_household(db, desk, household_id) is None:
        note_refusal(db, desk, household_id, now=now)
        return Outcome.UNKNOWN
    # The second of two at once waits here until the first one is written.
    db.execute(select(Household.id).where(Household.id == household_id).with_for_update()).all()
    if has_child(db, household_id, child):
        return Outcome.DONE
    child_id = add_child(db, household_id, child, now=now)
    note(db, desk, "child.added", child_id, detail={"household_id": str(household_id)}, now=now)
    return Outcome.DONE
