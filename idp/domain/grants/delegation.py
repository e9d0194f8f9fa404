"""Granted details: for which household a service acts, as it stands now (RFC 9396)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.clients import subject_sector
from idp.domain.people.households import ActiveMembership, find_membership
from idp.domain.people.memberships import CATEGORIES
from idp.protocol.client import RegisteredClient
from idp.protocol.details import DelegationDetail
from idp.protocol.registration_security import DELEGATION
from idp.protocol.subject import SubjectKind, derive_subject


@dataclass(frozen=True)
class Acting:
    """A person, the household she acts for, and the service she does it at."""

    client: RegisteredClient
    account_id: UUID
    household_id: UUID | None


@dataclass(frozen=True)
class Granted:
    """What of a detail a person can give now: never more than was asked for."""

    #: The household as the service knows it.
    household_id: str
    membership: ActiveMembership
    categories: tuple[str, ...]


def describe_delegation(
    db: Session, detail: DelegationDetail, acting: Acting, *, keys: Keyring, now: datetime
) -> dict[str, object] | None:
    """Return what is granted now, or None: nothing of what was asked for.

    It is computed at every token and every introspection, so that a delegation that was
    narrowed in the meantime is narrower at once.
    """
    found = find_granted(db, detail, acting, keys=keys, now=now)
    if found is None:
        return None
    granted: dict[str, object] = {
        "type": DELEGATION,
        "household_id": found.household_id,
        "role": found.membership.role.value,
        "categories": list(found.categories),
    }
    if found.membership.valid_until is not None:
        granted["valid_until"] = found.membership.valid_until.isoformat()
    return granted


def find_granted(
    db: Session, detail: DelegationDetail, acting: Acting, *, keys: Keyring, now: datetime
) -> Granted | None:
    """Return what of a detail the person can give for the household she acts for."""
    if acting.household_id is None:
        return None
    membership = find_membership(db, acting.account_id, acting.household_id, now=now)
    if membership is None or acting.client.municipality_id not in (
        None,
        membership.municipality_id,
    ):
        return None
    household_id = derive_subject(
        keys.subject_key,
        SubjectKind.HOUSEHOLD,
        sector=subject_sector(acting.client),
        entity_id=membership.household_id,
    )
    allowed = _allowed(detail, membership)
    if detail.household_id not in (None, household_id) or not allowed:
        return None
    return Granted(household_id, membership, allowed)


def _allowed(detail: DelegationDetail, membership: ActiveMembership) -> tuple[str, ...]:
    """Return the categories that were asked for and are on; none written down means every one."""
    asked = detail.categories or CATEGORIES
    return tuple(
        code
        for code in asked
        if code in CATEGORIES and (not membership.categories or membership.categories.get(code))
    )


def knows_categories(detail: DelegationDetail) -> bool:
    """Whether every category that is asked for is one of ours."""
    return set(detail.categories) <= set(CATEGORIES)
