"""From the pairwise id of a household back to the household, for services that call us."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.db.cache import cache_of
from idp.domain.grants.clients import subject_sector
from idp.model.households import Household
from idp.protocol.client import RegisteredClient
from idp.protocol.subject import SubjectKind, derive_subject

_PAIRWISE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass
class _Derived:
    """The ids of one sector and municipality that this process has derived so far."""

    households: dict[str, UUID] = field(default_factory=dict)
    newest: datetime | None = None


class _Cache:
    """What is derived cannot be turned back, so it is derived once and kept."""

    def __init__(self) -> None:
        self.derived: dict[tuple[str, UUID | None], _Derived] = {}


def find_household_by_subject(
    db: Session, client: RegisteredClient, subject: str, *, keys: Keyring
) -> UUID | None:
    """Return the household that a service means; only one of its own municipality.

    An id that is not known yet makes the process derive the households added since the last
    time; a text that can be no id is not looked for at all.
    """
    if _PAIRWISE.fullmatch(subject) is None:
        return None
    sector = subject_sector(client)
    known = cache_of(db, _Cache).derived.setdefault((sector, client.municipality_id), _Derived())
    if subject not in known.households:
        _derive_new(db, known, client, keys=keys)
    return known.households.get(subject)


def _derive_new(db: Session, known: _Derived, client: RegisteredClient, *, keys: Keyring) -> None:
    wanted = select(Household.id, Household.created_at).order_by(Household.created_at)
    if client.municipality_id is not None:
        wanted = wanted.where(Household.municipality_id == client.municipality_id)
    if known.newest is not None:
        # The newest one is read again: another may have been added in the same moment.
        wanted = wanted.where(Household.created_at >= known.newest)
    for row in db.execute(wanted):
        subject = derive_subject(
            keys.subject_key,
            SubjectKind.HOUSEHOLD,
            sector=subject_sector(client),
            entity_id=row.id,
        )
        known.households[subject] = row.id
        known.newest = row.created_at
