"""The walk of a request, the service it is for and the municipality it is at: one question."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.db.rows import fetch_one
from idp.domain.grants.clients import CLIENT, present_client
from idp.domain.people.sites import MUNICIPALITY, SITE_COLUMNS, Site, read_site
from idp.domain.signin.interactions import INTERACTION, Walk, read_walk
from idp.protocol.client import RegisteredClient

_FIND = (
    select(INTERACTION, CLIENT.c.version.label("client_version"), *SITE_COLUMNS)
    .select_from(
        INTERACTION.outerjoin(CLIENT, CLIENT.c.id == INTERACTION.c.client_id).outerjoin(
            MUNICIPALITY, MUNICIPALITY.c.id == INTERACTION.c.municipality_id
        )
    )
    .where(INTERACTION.c.id == bindparam("walk"))
)


@dataclass(frozen=True)
class FoundWalk:
    """A walk as it stands, and what its pages say of it."""

    walk: Walk
    #: The service that waits for it, if it may still be used.
    client: RegisteredClient | None
    #: The municipality whose page it is, if the walk has one.
    site: Site | None


def find_whole_walk(
    db: Session, interaction_id: UUID, browser_token: str | None, *, now: datetime
) -> FoundWalk | None:
    """Return what `find_walk`, `find_client` and `find_site` return, with one query."""
    row = fetch_one(db, _FIND, {"walk": interaction_id})
    walk = None if row is None else read_walk(row, browser_token, now=now)
    if row is None or walk is None:
        return None
    client = None
    if row.client_version is not None:
        client = present_client(db, str(walk.client_id), row.client_version)
    return FoundWalk(
        walk=walk,
        client=client if client is not None and client.is_active else None,
        site=read_site(row),
    )
