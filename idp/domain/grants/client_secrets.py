"""Secrets of clients: made once, shown once, renewed with an overlap (CA-08, CA-09)."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, new_token
from idp.domain.grants.client_signatures import secret_context
from idp.domain.grants.client_writing import (
    RegisteredClientWithSecret,
    RegistrationRefusal,
    change_client,
    hold_client,
    record_change,
)
from idp.domain.grants.clients import find_any_client, load_client
from idp.domain.upkeep.audit import Actor
from idp.model.clients import ClientSecret
from idp.protocol.client import AuthMethod, RegisteredClient, SecretDigest

#: How long a secret works on after its successor was made.
DEFAULT_OVERLAP = timedelta(days=7)
SECRET_METHODS = frozenset({AuthMethod.BASIC, AuthMethod.POST, AuthMethod.SECRET_JWT})


def add_secret(
    db: Session, client: RegisteredClient, secret: str | None, *, keys: Keyring, now: datetime
) -> str:
    """Store the digest of a secret and return the secret: 256 random bits unless given.

    Only for a client that signs with it (client_secret_jwt) it is kept sealed besides.
    """
    chosen = secret or new_token()
    db.add(
        ClientSecret(
            id=new_id(now=now),
            client_id=client.client_id,
            digest=digest(chosen),
            sealed=_seal(client, chosen, keys) if client.signs_with_secret else None,
            created_at=now,
        )
    )
    db.flush()  # read back with the client
    return chosen


def _seal(client: RegisteredClient, secret: str, keys: Keyring) -> bytes:
    return keys.sealer.seal(secret.encode(), context=secret_context(client.client_id))


def is_retired(db: Session, client_id: str, given: str, *, now: datetime) -> bool:
    """Whether a secret was this client's once and has ended.

    Its digest is kept as long as the client, so that a file of those days cannot bring it back.
    """
    ends = db.execute(
        select(ClientSecret.expires_at, ClientSecret.revoked_at).where(
            ClientSecret.client_id == client_id, ClientSecret.digest == digest(given)
        )
    ).all()
    over = [each.revoked_at is not None or _is_past(each.expires_at, now=now) for each in ends]
    return bool(over) and all(over)


def _is_past(end: datetime | None, *, now: datetime) -> bool:
    return end is not None and end <= now


def fit_secrets(
    db: Session,
    client: RegisteredClient,
    given: str | None,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
) -> str | None:
    """Give a client what its method needs, after a change; return a secret that was made.

    A client that begins to sign with its secret needs a new one, or brings the one it has:
    of that we kept only a digest. A client that stops signing keeps its secrets as digests
    alone; one that stops having any loses them, so that they never come back with the method.
    """
    if not client.signs_with_secret:
        _forget_clear(db, client.client_id)
    if client.token_endpoint_auth_method not in SECRET_METHODS:
        end_secrets(db, client.client_id, now=now)
        return None
    usable = {
        each.digest
        for each in client.secrets
        if each.is_valid(now=now) and (each.sealed is not None or not client.signs_with_secret)
    }
    if digest(given) in usable if given is not None else usable:
        return None
    if given is not None and _unlock(db, client, given, keys=keys, now=now):
        return None
    secret = add_secret(db, client, given, keys=keys, now=now)
    _note_secret(db, client, actor=actor, now=now)
    return secret if given is None else None


def _unlock(
    db: Session, client: RegisteredClient, given: str, *, keys: Keyring, now: datetime
) -> bool:
    """Seal a secret that is in use already, now that it is known; tell whether it was."""
    mine = digest(given)
    if not any(each.digest == mine and each.is_valid(now=now) for each in client.secrets):
        return False
    db.execute(
        update(ClientSecret)
        .where(
            ClientSecret.client_id == client.client_id,
            ClientSecret.digest == mine,
            ClientSecret.revoked_at.is_(None),
        )
        .values(sealed=_seal(client, given, keys))
    )
    return True


def end_secrets(db: Session, client_id: str, *, now: datetime) -> None:
    """End every secret of a client that has none any more."""
    db.execute(
        update(ClientSecret)
        .where(ClientSecret.client_id == client_id, ClientSecret.revoked_at.is_(None))
        .values(revoked_at=now, sealed=None)
        .execution_options(synchronize_session=False)
    )


def _forget_clear(db: Session, client_id: str) -> None:
    db.execute(
        update(ClientSecret)
        .where(ClientSecret.client_id == client_id, ClientSecret.sealed.is_not(None))
        .values(sealed=None)
    )


def rotate_secret(
    db: Session,
    client_id: str,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
    overlap: timedelta = DEFAULT_OVERLAP,
) -> RegisteredClientWithSecret | RegistrationRefusal:
    """Make a new secret; the one before works on for the overlap, older ones end (CA-09)."""
    hold_client(db, client_id)
    client = find_any_client(db, client_id)
    if client is None:
        return RegistrationRefusal.CLIENT_UNKNOWN
    if client.token_endpoint_auth_method not in SECRET_METHODS:
        return RegistrationRefusal.NO_SECRET
    newest = next(iter(client.secrets), None)
    for old in client.secrets:
        ends = now + overlap if old is newest else now
        _end_at(db, client_id, old, min(ends, old.expires_at or ends), now=now)
    secret = add_secret(db, client, None, keys=keys, now=now)
    change_client(db, client_id, {}, now=now)
    _note_secret(db, client, actor=actor, now=now)
    return RegisteredClientWithSecret(load_client(db, client_id), secret)


def _end_at(
    db: Session, client_id: str, secret: SecretDigest, end: datetime, *, now: datetime
) -> None:
    """Let a secret end; what ends at once is not kept to read back."""
    clear = {"sealed": None} if end <= now else {}
    db.execute(
        update(ClientSecret)
        .where(ClientSecret.client_id == client_id, ClientSecret.digest == secret.digest)
        .values(expires_at=end, **clear)
    )


def retire_expired(db: Session, *, now: datetime) -> None:
    """Leave nothing but the digest of secrets that have run out. Twice is harmless.

    Clients are then read without them: a digest that is kept for ever costs a request nothing.
    """
    db.execute(
        update(ClientSecret)
        .where(
            ClientSecret.expires_at <= now,
            or_(ClientSecret.revoked_at.is_(None), ClientSecret.sealed.is_not(None)),
        )
        .values(
            revoked_at=func.coalesce(ClientSecret.revoked_at, ClientSecret.expires_at), sealed=None
        )
        .execution_options(synchronize_session=False)
    )


def _note_secret(db: Session, client: RegisteredClient, *, actor: Actor, now: datetime) -> None:
    record_change(
        db, "client.secret_rotated", client.client_id, client.municipality_id, actor=actor, now=now
    )


def end_old_secrets(db: Session, client_id: str, *, actor: Actor, now: datetime) -> bool:
    """End every secret but the newest at once: the old one has leaked, or is out of use."""
    hold_client(db, client_id)
    client = find_any_client(db, client_id)
    if client is None or len(client.secrets) < 2:
        return False
    newest = client.secrets[0]
    db.execute(
        update(ClientSecret)
        .where(
            ClientSecret.client_id == client_id,
            ClientSecret.digest != newest.digest,
            ClientSecret.revoked_at.is_(None),
        )
        .values(revoked_at=now, sealed=None)
    )
    change_client(db, client_id, {}, now=now)
    record_change(db, "client.old_secrets_ended", client_id, None, actor=actor, now=now)
    return True
