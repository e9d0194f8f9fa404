"""A client as a document: what a file holds of it, and what it is told of itself."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.model.households import Municipality
from idp.protocol.client import ClientMetadata, RegisteredClient
from idp.protocol.export import write_metadata


def export_client(db: Session, client: RegisteredClient) -> dict[str, object]:
    """Return the document of a client as a file holds it; never a secret (CA-08)."""
    own: dict[str, object] = {
        "client_id": client.client_id,
        "kosodate_municipality": municipality_code_of(db, client),
        "kosodate_sector": client.sector,
        "kosodate_consented": client.is_consented or None,
        "kosodate_may_notify": client.may_notify or None,
    }
    metadata: ClientMetadata = client
    return {name: value for name, value in own.items() if value is not None} | write_metadata(
        metadata
    )


def municipality_code_of(db: Session, client: RegisteredClient) -> str | None:
    """Return the code of the municipality whose service it is; None: it serves all."""
    if client.municipality_id is None:
        return None
    wanted = Municipality.id == client.municipality_id
    return db.scalar(select(Municipality.code).where(wanted))


def changed_members(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the members in which two documents differ."""
    names = {*before, *after}
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))
