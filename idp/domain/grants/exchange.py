"""Token exchange: whom a token would be for, and how that service knows the household."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.access_tokens import LiveToken
from idp.domain.grants.clients import list_clients, subject_sector
from idp.model.households import Household
from idp.protocol.client import RegisteredClient
from idp.protocol.subject import SubjectKind, derive_subject


def find_target(db: Session, resource: str) -> RegisteredClient | None:
    """Return the service that answers to a resource indicator.

    Several may, if all know people by the same identifiers; otherwise nobody could say which
    `sub` is meant.
    """
    found = [
        client for client in list_clients(db) if client.is_active and resource in client.audiences
    ]
    sectors = {subject_sector(client) for client in found}
    return found[0] if len(sectors) == 1 else None


def may_exchange(client: RegisteredClient, live: LiveToken) -> bool:
    """Whether a token was given to this client, or is meant for it.

    Whoever else holds one has no business with it.
    """
    is_meant = bool({client.client_id, *client.audiences} & set(live.audience))
    return live.client_id == client.client_id or is_meant


def household_at(
    db: Session, target: RegisteredClient, household_id: UUID, *, keys: Keyring
) -> str | None:
    """Return how a service knows a household; None for one of another municipality."""
    wanted = select(Household.municipality_id).where(Household.id == household_id)
    municipality_id = db.scalar(wanted)
    if target.municipality_id not in (None, municipality_id):
        return None
    return derive_subject(
        keys.subject_key,
        SubjectKind.HOUSEHOLD,
        sector=subject_sector(target),
        entity_id=household_id,
    )
