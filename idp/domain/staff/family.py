"""What staff change in a household: take a proxy out, add a child."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.access.proxies import ProxyCase, Removal, remove_proxy
from idp.domain.people.children import NewChild, add_child
from idp.domain.staff.control import Outcome
from idp.domain.staff.desk import Desk, Post, find_household, note, note_refusal


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
    """Write another child into a household."""
    if find_household(db, desk, household_id) is None:
        note_refusal(db, desk, household_id, now=now)
        return Outcome.UNKNOWN
    child_id = add_child(db, household_id, child, now=now)
    note(db, desk, "child.added", child_id, detail={"household_id": str(household_id)}, now=now)
    return Outcome.DONE
