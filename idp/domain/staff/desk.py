"""The desk: which municipality's families a member of staff works on. Every operation asks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.households import Household
from idp.model.people import Account, Door


@dataclass(frozen=True)
class Desk:
    """The municipality and whoever sits at its desk.

    A required argument: a query cannot forget the scope, since there is nothing else to
    ask with (TN-01).
    """

    municipality_id: UUID
    actor: Actor


@dataclass(frozen=True)
class Post:
    """What mails to families need: the keys that seal them and the page they lead to."""

    keys: Keyring
    reset_page_url: str


def find_person(db: Session, desk: Desk, account_id: UUID) -> Account | None:
    """Return the family member's row if the municipality issued it; staff are nobody here."""
    return db.scalar(
        select(Account).where(
            Account.id == account_id,
            Account.municipality_id == desk.municipality_id,
            Account.door == Door.FAMILY,
        )
    )


def find_household(db: Session, desk: Desk, household_id: UUID) -> Household | None:
    """Return the household's row if it belongs to the municipality."""
    return db.scalar(
        select(Household).where(
            Household.id == household_id, Household.municipality_id == desk.municipality_id
        )
    )


def note(  # noqa: PLR0913 - one line of the audit log has so many parts
    db: Session,
    desk: Desk,
    name: str,
    subject_id: UUID | None,
    *,
    reason: str | None = None,
    detail: dict[str, str | int | bool] | None = None,
    now: datetime,
) -> None:
    """Write what was done at the desk into the audit log."""
    act = Act(
        name,
        subject_id=subject_id,
        municipality_id=desk.municipality_id,
        reason=reason,
        detail=detail or {},
    )
    record(db, act, actor=desk.actor, now=now)


def note_refusal(db: Session, desk: Desk, target_id: UUID, *, now: datetime) -> None:
    """Write that somebody at this desk asked for a row that is not there for her (TN-01).

    The municipality is the asker's: the log of another one shows nothing of it.
    """
    note(db, desk, "staff.refused", target_id, reason="unknown_here", now=now)
