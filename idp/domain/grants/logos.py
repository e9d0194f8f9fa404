"""Logos of services: kept by their content, so that an address of ours never changes meaning."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.domain.grants.client_addresses import FetchedLogo
from idp.model.clients import Logo


def store_logo(db: Session, logo: FetchedLogo, *, now: datetime) -> bytes:
    """Keep a picture, once, and return its name."""
    row = Logo(
        content_digest=logo.digest,
        content_type=logo.content_type,
        content=logo.content,
        created_at=now,
    )
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:
        # Another service brought the same picture.
        return logo.digest
    return logo.digest


def find_logo(db: Session, name: str) -> FetchedLogo | None:
    """Return a picture by its name in hexadecimal digits."""
    try:
        wanted = bytes.fromhex(name)
    except ValueError:
        return None
    row = db.execute(
        select(Logo.content_type, Logo.content).where(Logo.content_digest == wanted)
    ).one_or_none()
    return None if row is None else FetchedLogo(row.content_type, bytes(row.content))
