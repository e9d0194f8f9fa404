"""What the console does with clients beyond the registry: save a form, take a file, list them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.client_addresses import Gathered
from idp.domain.grants.client_registry import import_client
from idp.domain.grants.client_writing import (
    RegisteredClientWithSecret,
    RegistrationRefusal,
    claim_version,
)
from idp.domain.grants.clients import find_any_client
from idp.domain.upkeep.audit import Actor
from idp.model.clients import Client, ClientOrigin, InitialAccessToken
from idp.protocol.registration import Registration


class RefusedClientError(Exception):
    """A form or file that could not be saved: nothing of it is, so it is raised.

    `place` counts the clients of a file.
    """

    def __init__(self, refusal: RegistrationRefusal, place: int = 0) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.place = place


@dataclass(frozen=True)
class Checked:
    """A document that was read, and what its addresses lead to."""

    registration: Registration
    gathered: Gathered


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """How a client came, and when."""

    origin: ClientOrigin
    #: For whom the token was made that it registered itself with.
    token_label: str | None
    created_at: datetime
    updated_at: datetime


def save_changes(
    db: Session, checked: Checked, version: int, *, actor: Actor, keys: Keyring, now: datetime
) -> RegisteredClientWithSecret:
    """Write what a form says of a client that is there, unless somebody was faster.

    Raises:
        RefusedClientError: changed_meanwhile, or why the registry refuses.
    """
    client_id = checked.registration.client_id
    assert client_id is not None
    if not claim_version(db, client_id, version, now=now):
        raise RefusedClientError(RegistrationRefusal.CHANGED_MEANWHILE)
    return _import(db, checked, actor=actor, keys=keys, now=now)


def add_all(
    db: Session, file: Sequence[Checked], *, actor: Actor, keys: Keyring, now: datetime
) -> tuple[RegisteredClientWithSecret, ...]:
    """Register every client of a file; one whose id is known spoils it.

    Raises:
        RefusedClientError: why, and at which client.
    """
    made = []
    for place, checked in enumerate(file):
        client_id = checked.registration.client_id
        if client_id is not None and find_any_client(db, client_id) is not None:
            raise RefusedClientError(RegistrationRefusal.CLIENT_ID_TAKEN, place)
        made.append(_import(db, checked, actor=actor, keys=keys, now=now, place=place))
    return tuple(made)


def replace_all(
    db: Session, file: Sequence[Checked], *, actor: Actor, keys: Keyring, now: datetime
) -> tuple[RegisteredClientWithSecret, ...]:
    """Register every client of a file, or bring it to the state that the file says.

    Raises:
        RefusedClientError: why, and at which client; nothing of the file is written.
    """
    return tuple(
        _import(db, checked, actor=actor, keys=keys, now=now, place=place)
        for place, checked in enumerate(file)
    )


def _import(
    db: Session,
    checked: Checked,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
    place: int = 0,
) -> RegisteredClientWithSecret:
    outcome = import_client(
        db, checked.registration, actor=actor, keys=keys, now=now, gathered=checked.gathered
    )
    if isinstance(outcome, RegistrationRefusal):
        raise RefusedClientError(outcome, place)
    return outcome


def list_arrivals(db: Session) -> Mapping[str, Arrived]:
    """Return how every client came, by its id."""
    rows = db.execute(
        select(
            Client.id,
            Client.origin,
            InitialAccessToken.label,
            Client.created_at,
            Client.updated_at,
        ).outerjoin(InitialAccessToken, InitialAccessToken.id == Client.initial_access_token_id)
    )
    return {
        row.id: Arrived(
            origin=row.origin,
            token_label=row.label,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    }
