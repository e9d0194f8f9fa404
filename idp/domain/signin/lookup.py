"""Whose sign-in ID this is, and whether that person may come in by this door."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal, select
from sqlalchemy.orm import Session

from idp.base.contact import mail_key
from idp.base.text import login_key
from idp.db.rows import FoundRow, fetch_all, fetch_one
from idp.domain.signin.candidates import ACCOUNT, FACTS, read_candidate, with_facts
from idp.domain.signin.policy import lock_of
from idp.model.households import Municipality
from idp.model.people import AccountStatus, Door

_municipality: Any = Municipality.__table__

# One row in any case: the lock of the page's municipality holds for an id that nobody has (EN-01).
_one: Any = select(literal(1).label("one")).subquery("one")
_LOCK_MINUTES = (
    select(_municipality.c.lock_minutes)
    .where(_municipality.c.id == bindparam("page"))
    .scalar_subquery()
)
_OWNER = select(*FACTS, _LOCK_MINUTES.label("lock_minutes")).select_from(
    with_facts(_one.outerjoin(ACCOUNT, ACCOUNT.c.login_id == bindparam("login_id")))
)
_OF_ADDRESS = (
    select(*FACTS)
    .select_from(with_facts(ACCOUNT))
    .where(
        ACCOUNT.c.email_key == bindparam("address"),
        ACCOUNT.c.door == bindparam("door"),
        ACCOUNT.c.status != AccountStatus.CLOSED,
    )
    .limit(2)
)


@dataclass(frozen=True)
class Owner:
    """The person an id belongs to, whatever becomes of the try."""

    id: UUID
    #: What the password is compared with. None: suspended, closed, not yet activated, without a
    #: password, or of the other door, as if nobody had this id (EN-01, A08).
    hash: str | None


@dataclass(frozen=True)
class LookedUp:
    """What is known of an id that was typed on a page."""

    owner: Owner | None
    #: How long the page's municipality locks.
    lock: timedelta


def find_owner(
    db: Session, typed: str, *, door: Door, page: UUID | None, now: datetime
) -> LookedUp:
    """Return whose id this is: the sign-in ID, or an address that only one person has (B14).

    Full-width letters, case and spaces do not matter (A20, B15). `page` is the municipality
    whose page it was typed on.
    """
    row, lock = _find_row(db, typed, door=door, page=page)
    if row is None:
        return LookedUp(None, lock)
    return LookedUp(Owner(row.id, _usable_hash(row, door=door, now=now)), lock)


def find_by_login_id(db: Session, typed: str, *, door: Door) -> UUID | None:
    """Return whose id this is, whatever the state of the account."""
    row, _ = _find_row(db, typed, door=door, page=None)
    return None if row is None else row.id


def _find_row(
    db: Session, typed: str, *, door: Door, page: UUID | None
) -> tuple[FoundRow | None, timedelta]:
    db.flush()  # what this transaction has changed so far counts
    key = login_key(typed)
    row = fetch_one(db, _OWNER, {"login_id": key, "page": page})
    assert row is not None
    lock = lock_of(row.lock_minutes)
    if not key:
        return None, lock
    return (row if row.id is not None else _find_by_address(db, typed, door=door)), lock


def _find_by_address(db: Session, typed: str, *, door: Door) -> FoundRow | None:
    same_address = fetch_all(db, _OF_ADDRESS, {"address": mail_key(typed), "door": door})
    # Two people, one mailbox: the address does not tell them apart (D15).
    return same_address[0] if len(same_address) == 1 else None


def _usable_hash(row: FoundRow, *, door: Door, now: datetime) -> str | None:
    candidate = read_candidate(row, now=now)
    return candidate.hash if candidate is not None and candidate.door is door else None
