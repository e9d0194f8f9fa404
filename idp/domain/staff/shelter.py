"""Protection at the desk: only for the municipality's own families (D3)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.text import single_line
from idp.domain.people.protection import Lift, ask_to_lift, keep_protection, set_protection
from idp.domain.staff.control import Case, Outcome
from idp.domain.staff.desk import Desk, find_person, note_refusal


def protect(db: Session, desk: Desk, case: Case, *, now: datetime) -> Outcome:
    """Protect a person; the reason stays beside the flag and goes into no log."""
    if find_person(db, desk, case.account_id) is None:
        note_refusal(db, desk, case.account_id, now=now)
        return Outcome.UNKNOWN
    if not case.has_reason():
        return Outcome.REASON
    reason = single_line(case.reason)
    done = set_protection(db, case.account_id, reason, actor=desk.actor, now=now)
    return Outcome.DONE if done else Outcome.NOT_NOW


def lift_protection(db: Session, desk: Desk, account_id: UUID, *, now: datetime) -> Lift | None:
    """Ask to lift the flag; None if no such person is at this desk."""
    if find_person(db, desk, account_id) is None:
        note_refusal(db, desk, account_id, now=now)
        return None
    return ask_to_lift(db, account_id, actor=desk.actor, now=now)


def keep_protected(db: Session, desk: Desk, account_id: UUID, *, now: datetime) -> Outcome:
    """Refuse a wish to lift the flag."""
    if find_person(db, desk, account_id) is None:
        note_refusal(db, desk, account_id, now=now)
        return Outcome.UNKNOWN
    kept = keep_protection(db, account_id, actor=desk.actor, now=now)
    return Outcome.DONE if kept else Outcome.NOT_NOW
