"""Children of a household: add one, and tell whether it is still eligible."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.dates import TOKYO
from idp.base.ids import new_id
from idp.base.text import search_key
from idp.model.households import Child, ChildStatus

#: Children are eligible up to this many years.
ELIGIBLE_YEARS = 3
#: One becomes a year older at the end of the day before the birthday, so the last day of
#: being two is two days before the third birthday.
_DAYS_BEFORE_BIRTHDAY = timedelta(days=2)


@dataclass(frozen=True)
class NewChild:
    """A child about to be registered; texts are parsed already."""

    name: str
    birthdate: date
    name_kana: str | None = None
    external_key: str | None = None


@dataclass(frozen=True)
class KnownChild:
    """A child of a household, with the status it has today."""

    id: UUID
    name: str
    name_kana: str | None
    birthdate: date
    status: ChildStatus
    last_eligible_on: date


def add_child(db: Session, household_id: UUID, new: NewChild, *, now: datetime) -> UUID:
    """Write a child into a household."""
    child = Child(
        id=new_id(now=now),
        household_id=household_id,
        name=new.name,
        name_kana=new.name_kana,
        search_key=search_key(new.name, "/", new.name_kana),
        birthdate=new.birthdate,
        status=ChildStatus.ACTIVE,
        external_key=new.external_key,
        created_at=now,
        updated_at=now,
    )
    db.add(child)
    return child.id


def has_child(db: Session, household_id: UUID, wanted: NewChild) -> bool:
    """Whether a child of this name and birthdate is registered in the household and in use."""
    query = select(Child.id).where(
        Child.household_id == household_id,
        Child.name == wanted.name,
        Child.birthdate == wanted.birthdate,
        Child.status == ChildStatus.ACTIVE,
    )
    return db.scalar(query.limit(1)) is not None


def children_of(db: Session, household_id: UUID, *, now: datetime) -> tuple[KnownChild, ...]:
    """Return the children of a household, eldest first.

    A child that has aged out stays: the account is never closed for it (A42).
    """
    today = now.astimezone(TOKYO).date()
    rows = db.scalars(
        select(Child).where(Child.household_id == household_id).order_by(Child.birthdate, Child.id)
    )
    return tuple(
        KnownChild(
            id=child.id,
            name=child.name,
            name_kana=child.name_kana,
            birthdate=child.birthdate,
            status=status_on(today, child.birthdate, child.status),
            last_eligible_on=last_eligible_day(child.birthdate),
        )
        for child in rows
    )


def status_on(today: date, birthdate: date, stored: ChildStatus) -> ChildStatus:
    """Return the status on a day: age alone makes an active child ineligible."""
    if stored is ChildStatus.ACTIVE and today > last_eligible_day(birthdate):
        return ChildStatus.AGED_OUT
    return stored


def last_eligible_day(birthdate: date) -> date:
    """Return the day two days before the third birthday."""
    return _birthday(birthdate, ELIGIBLE_YEARS) - _DAYS_BEFORE_BIRTHDAY


def _birthday(birthdate: date, years: int) -> date:
    """Return a birthday; in years without 29 February it counts as 1 March."""
    try:
        return birthdate.replace(year=birthdate.year + years)
    except ValueError:
        return date(birthdate.year + years, 3, 1)


def withdraw_child(db: Session, child_id: UUID, status: ChildStatus, *, now: datetime) -> None:
    """Write why a child is no longer eligible; its records and its id stay."""
    child = db.get_one(Child, child_id)
    child.status = status
    child.updated_at = now
