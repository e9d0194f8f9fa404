"""Secrets of clients: made once, shown once, renewed with an overlap (CA-08, CA-09)."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.secret import digest, new_token
from idp.domain.grants.client_writing import (
    RegisteredClientWithSecret,
    RegistrationRefusal,
    change_client,
    record_change,
)
from idp.domain.grants.clients import find_any_client, load_client
from idp.domain.upkeep.audit import Actor
from idp.model.clients import ClientSecret
from idp.protocol.client import AuthMethod

#: How long a secret works on after its successor was made.
DEFAULT_OVERLAP = timedelta(days=7)
SECRET_METHODS = frozenset({AuthMethod.BASIC, AuthMethod.POST})


def add_secret(db: Session, client_id: str, secret: str | None, *, now: datetime) -> str:
    """Store the digest of a secret and return the secret: 256 random bits unless given."""
    chosen = secret or new_token()
    db.add(
        ClientSecret(id=new_id(now=now), client_id=client_id, digest=digest(chosen), created_at=now)
    )
    db.flush()  # read back with the client
    return chosen


def rotate_secret(
    db: Session,
    client_id: str,
    *,
    actor: Actor,
    now: datetime,
    overlap: timedelta = DEFAULT_OVERLAP,
) -> RegisteredClientWithSecret | RegistrationRefusal:
    """Make a new secret; the one before works on for the overlap, older ones end (CA-09)."""
    client = find_any_client(db, client_id)
    if client is None:
        return RegistrationRefusal.CLIENT_UNKNOWN
    if client.token_endpoint_auth_method not in SECRET_METHODS:
        return RegistrationRefusal.NO_SECRET
    newest = next(iter(client.secrets), None)
    for old in client.secrets:
        ends = now + overlap if old is newest else now
        db.execute(
            update(ClientSecret)
            .where(ClientSecret.client_id == client_id, ClientSecret.digest == old.digest)
            .values(expires_at=ends if old.expires_at is None else min(ends, old.expires_at))
        )
    secret = add_secret(db, client_id, None, now=now)
    change_client(db, client_id, {}, now=now)
    record_change(
        db, "client.secret_rotated", client_id, client.municipality_id, actor=actor, now=now
    )
    return RegisteredClientWithSecret(load_client(db, client_id), secret)


def end_old_secrets(db: Session, client_id: str, *, actor: Actor, now: datetime) -> bool:
    """End every secret but the newest at once: the old one has leaked, or is out of use."""
    client = find_any_client(db, client_id)
    if client is None or len(client.secrets) < 2:
        return False
    newest = client.secrets[0]
    db.execute(
        update(ClientSecret)
        .where(ClientSecret.client_id == client_id, ClientSecret.digest != newest.digest)
        .values(revoked_at=now)
    )
    change_client(db, client_id, {}, now=now)
    record_change(db, "client.old_secrets_ended", client_id, None, actor=actor, now=now)
    return True
