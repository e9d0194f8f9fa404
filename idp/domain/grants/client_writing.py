"""Writing clients: the one way to change a row, to note it, and the ways to be refused."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_version
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.clients import Client
from idp.protocol.client import RegisteredClient


class RegistrationRefusal(StrEnum):
    """Why a sound document could not be registered."""

    CLIENT_ID_TAKEN = "client_id_taken"
    CLIENT_UNKNOWN = "client_unknown"
    MUNICIPALITY_UNKNOWN = "municipality_unknown"
    #: Redirect URIs on several hosts and no municipality: say which sector it is.
    SECTOR_NEEDED = "sector_needed"
    #: Every `sub` at the client would change.
    SECTOR_FIXED = "sector_fixed"
    #: Its sector_identifier_uri does not answer with a list of all redirect URIs.
    SECTOR_UNPROVEN = "sector_unproven"
    #: No key signs with the algorithm that was asked for: make one first.
    KEY_MISSING = "key_missing"
    #: Somebody else has saved it since the form was shown.
    CHANGED_MEANWHILE = "changed_meanwhile"
    #: The secret in the file was replaced and has ended: it never comes back.
    SECRET_RETIRED = "secret_retired"  # noqa: S105 - a reason
    NO_SECRET = "client_has_no_secret"  # noqa: S105 - a reason


@dataclass(frozen=True)
class RegisteredClientWithSecret:
    """A client and, this once, the secret in clear; a public client has none (CA-08)."""

    client: RegisteredClient
    secret: str | None


def hold_client(db: Session, client_id: str) -> None:
    """Let nobody else change this client or its secrets until the end of the transaction."""
    db.execute(select(Client.id).where(Client.id == client_id).with_for_update())


def change_client(db: Session, client_id: str, values: dict[str, object], *, now: datetime) -> bool:
    """Write values and a new version: every cached copy is old from the commit on."""
    result = db.execute(
        update(Client)
        .where(Client.id == client_id)
        .values(**values, version=new_version(), updated_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def claim_version(db: Session, client_id: str, version: int, *, now: datetime) -> bool:
    """Begin a change if the client is still as it was when somebody looked at it.

    The condition in the UPDATE is the lock: of two who save the same version one is told so.
    """
    result = db.execute(
        update(Client)
        .where(Client.id == client_id, Client.version == version)
        .values(version=new_version(), updated_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def record_change(
    db: Session,
    name: str,
    client_id: str,
    municipality_id: UUID | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Note what was done to a client."""
    act = Act(name, client_id=client_id, municipality_id=municipality_id)
    record(db, act, actor=actor, now=now)
