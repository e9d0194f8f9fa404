"""Clients: find one by its id, fast, and from a cache that never shows an old state."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.db.cache import cache_of
from idp.db.rows import fetch_one
from idp.model.clients import Client, ClientSecret, ClientStatus
from idp.protocol.addresses import AddressRules
from idp.protocol.client import (
    ClientMetadata,
    RegisteredClient,
    SecretDigest,
    SubjectType,
)
from idp.protocol.registration import parse_metadata
from idp.protocol.subject import PUBLIC_SECTOR

#: What was stored was checked when it was saved; the loosest rules read it back.
_STORED = AddressRules(allow_loopback_http=True)
_CLIENT_ID = re.compile(r"[!-~]{1,200}")

#: The table, for statements that ask more of a client than its version.
CLIENT: Any = Client.__table__

_VERSION = select(CLIENT.c.version).where(CLIENT.c.id == bindparam("client_id"))
_CLIENT = select(Client.__table__).where(Client.id == bindparam("client_id"))
_SECRETS = (
    select(ClientSecret.digest, ClientSecret.expires_at, ClientSecret.sealed)
    .where(ClientSecret.client_id == bindparam("client_id"), ClientSecret.revoked_at.is_(None))
    .order_by(ClientSecret.created_at.desc())
)


def find_client(db: Session, client_id: str) -> RegisteredClient | None:
    """Return the client if it may be used: known, and not disabled.

    One small query tells whether the copy of this process is still the present one: every
    change of a client or its secrets gives it another version, so a change holds at once on
    every worker.
    """
    client = find_any_client(db, client_id)
    return client if client is not None and client.is_active else None


def find_any_client(db: Session, client_id: str) -> RegisteredClient | None:
    """Return the client, disabled ones too: for the console."""
    if _CLIENT_ID.fullmatch(client_id) is None:
        return None
    row = fetch_one(db, _VERSION, {"client_id": client_id})
    return None if row is None else present_client(db, client_id, row.version)


def present_client(db: Session, client_id: str, version: int) -> RegisteredClient:
    """Return a client whose present version a query has just brought, from the cache if it can."""
    known = cache_of(db, _new_cache)
    client = known.get(client_id)
    if client is None or client.version != version:
        client = load_client(db, client_id)
        known[client_id] = client
    return client


def recall_client(db: Session, client_id: str) -> RegisteredClient | None:
    """Return a client as this process remembers it: perhaps not as it is now.

    For a caller that learns the present version from the query it asks anyway, and then decides.
    """
    client = cache_of(db, _new_cache).get(client_id)
    return client if client is not None and client.is_active else None


def _new_cache() -> dict[str, RegisteredClient]:
    return {}


def load_client(db: Session, client_id: str) -> RegisteredClient:
    """Return the client as it stands in this transaction, without the cache."""
    row = db.execute(_CLIENT, {"client_id": client_id}).mappings().one()
    secrets = db.execute(_SECRETS, {"client_id": client_id}).all()
    return build_client(
        dict(row),
        tuple(SecretDigest(bytes(each.digest), each.expires_at, each.sealed) for each in secrets),
    )


def build_client(row: dict[str, Any], secrets: tuple[SecretDigest, ...]) -> RegisteredClient:
    """Return a client from its row."""
    metadata: ClientMetadata = parse_metadata(row["details"], rules=_STORED)
    return RegisteredClient(
        **vars(metadata),
        client_id=row["id"],
        sector=row["sector"],
        municipality_id=row["municipality_id"],
        is_active=row["status"] == ClientStatus.ACTIVE,
        is_removed=row["status"] == ClientStatus.REMOVED,
        is_consented=row["is_consented"],
        may_notify=row["may_notify"],
        version=row["version"],
        logo=row["logo_digest"].hex() if row["logo_digest"] is not None else None,
        secrets=secrets,
    )


def subject_sector(client: RegisteredClient) -> str:
    """Return the sector whose identifiers this client sees."""
    return PUBLIC_SECTOR if client.subject_type is SubjectType.PUBLIC else client.sector


def list_clients(
    db: Session, *, municipality_id: UUID | None = None
) -> tuple[RegisteredClient, ...]:
    """Return every client, or those of one municipality, by id; disabled ones too.

    Not those that have taken themselves away.
    """
    here = Client.status != ClientStatus.REMOVED
    wanted = select(Client.id, Client.version).where(here).order_by(Client.id)
    if municipality_id is not None:
        wanted = wanted.where(Client.municipality_id == municipality_id)
    rows = db.execute(wanted).all()
    return tuple(present_client(db, row.id, row.version) for row in rows)


def list_services(db: Session, municipality_id: UUID | None) -> tuple[RegisteredClient, ...]:
    """Return the services a family of this municipality can start: the tiles of the home page.

    Those of the municipality and those that serve all, if they say where a sign-in starts.
    """
    return tuple(
        client
        for client in list_clients(db)
        if client.is_active
        and client.initiate_login_uri is not None
        and client.municipality_id in (None, municipality_id)
    )


def is_registered_origin(db: Session, origin: str) -> bool:
    """Whether a browser client was registered with this origin (CA-10)."""
    return any(client.is_active and origin in client.cors_origins for client in list_clients(db))


def valid_secrets(client: RegisteredClient, *, now: datetime) -> tuple[SecretDigest, ...]:
    """Return the secrets that work now; two during a rotation."""
    return tuple(secret for secret in client.secrets if secret.is_valid(now=now))
