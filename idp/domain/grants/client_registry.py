"""The registry of clients: register one, change it, stop it, renew its secret."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.secret import digest, new_token
from idp.base.url import split_url
from idp.domain.grants.clients import find_any_client, load_client
from idp.domain.grants.key_rotation import REQUIRED
from idp.domain.grants.token_families import revoke_families_of_client
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.clients import Client, ClientSecret, ClientStatus
from idp.model.grants import KeyState, SigningKey
from idp.model.households import Municipality
from idp.protocol.client import AuthMethod, ClientMetadata, RegisteredClient
from idp.protocol.export import write_metadata
from idp.protocol.registration import Registration

#: How long a secret works on after its successor was made.
DEFAULT_OVERLAP = timedelta(days=7)
_SECRET_METHODS = frozenset({AuthMethod.BASIC, AuthMethod.POST})


class RegistrationRefusal(StrEnum):
    """Why a sound document could not be registered."""

    CLIENT_ID_TAKEN = "client_id_taken"
    CLIENT_UNKNOWN = "client_unknown"
    MUNICIPALITY_UNKNOWN = "municipality_unknown"
    #: Redirect URIs on several hosts and no municipality: say which sector it is.
    SECTOR_NEEDED = "sector_needed"
    #: Every `sub` at the client would change.
    SECTOR_FIXED = "sector_fixed"
    #: No key signs with the algorithm that was asked for: make one first.
    KEY_MISSING = "key_missing"
    NO_SECRET = "client_has_no_secret"  # noqa: S105 - a reason


@dataclass(frozen=True)
class RegisteredClientWithSecret:
    """A client and, this once, the secret in clear; a public client has none (CA-08)."""

    client: RegisteredClient
    secret: str | None


def register_client(
    db: Session, registration: Registration, *, actor: Actor, now: datetime
) -> RegisteredClientWithSecret | RegistrationRefusal:
    """Write a new client. Without an id of its own it gets a random one."""
    municipality = _find_municipality(db, registration)
    if municipality is None and registration.municipality_code is not None:
        return RegistrationRefusal.MUNICIPALITY_UNKNOWN
    sector = _choose_sector(registration)
    if sector is None:
        return RegistrationRefusal.SECTOR_NEEDED
    if not _can_sign(db, registration.metadata):
        return RegistrationRefusal.KEY_MISSING
    client = Client(
        id=registration.client_id or new_token()[:24],
        municipality_id=municipality,
        status=ClientStatus.ACTIVE,
        details=write_metadata(registration.metadata),
        is_consented=registration.is_consented,
        may_notify=registration.may_notify,
        sector=sector,
        version=1,
        created_by=actor.account_id,
        created_at=now,
        updated_at=now,
    )
    if not _insert(db, client):
        return RegistrationRefusal.CLIENT_ID_TAKEN
    secret = None
    if registration.metadata.token_endpoint_auth_method in _SECRET_METHODS:
        secret = _add_secret(db, client.id, registration.client_secret, now=now)
    _record(db, "client.registered", client.id, municipality, actor=actor, now=now)
    return RegisteredClientWithSecret(_present(db, client.id), secret)


def _insert(db: Session, client: Client) -> bool:
    try:
        with db.begin_nested():
            db.add(client)
    except IntegrityError:
        return False
    return True


def _find_municipality(db: Session, registration: Registration) -> UUID | None:
    if registration.municipality_code is None:
        return None
    wanted = Municipality.code == registration.municipality_code
    return db.scalar(select(Municipality.id).where(wanted))


def _choose_sector(registration: Registration) -> str | None:
    """Return the sector: as said, the municipality's, or the one host of the redirect URIs."""
    if registration.sector is not None:
        return registration.sector
    if registration.municipality_code is not None:
        return f"municipality:{registration.municipality_code}"
    hosts = {split_url(uri).hostname or uri for uri in registration.metadata.redirect_uris}
    if len(hosts) == 1:
        return f"host:{hosts.pop()}"
    return registration.client_id if not hosts else None


def _can_sign(db: Session, metadata: ClientMetadata) -> bool:
    """Whether ID tokens of the wanted algorithm can be made; every start makes the usual keys."""
    alg = metadata.id_token_signed_response_alg
    if alg in REQUIRED:
        return True
    active = SigningKey.state == KeyState.ACTIVE
    return db.scalar(select(SigningKey.kid).where(active, SigningKey.alg == alg)) is not None


def _add_secret(db: Session, client_id: str, secret: str | None, *, now: datetime) -> str:
    """Store the digest of a secret and return the secret: 256 random bits unless given."""
    chosen = secret or new_token()
    db.add(
        ClientSecret(id=new_id(now=now), client_id=client_id, digest=digest(chosen), created_at=now)
    )
    db.flush()  # read back with the client
    return chosen


def update_client(
    db: Session, client_id: str, registration: Registration, *, actor: Actor, now: datetime
) -> RegisteredClient | RegistrationRefusal:
    """Replace the metadata of a client; its secrets stay, its sector may not change."""
    known = find_any_client(db, client_id)
    if known is None:
        return RegistrationRefusal.CLIENT_UNKNOWN
    if registration.sector not in (None, known.sector):
        return RegistrationRefusal.SECTOR_FIXED
    municipality = _find_municipality(db, registration)
    if municipality is None and registration.municipality_code is not None:
        return RegistrationRefusal.MUNICIPALITY_UNKNOWN
    if not _can_sign(db, registration.metadata):
        return RegistrationRefusal.KEY_MISSING
    _change(
        db,
        client_id,
        {
            "details": write_metadata(registration.metadata),
            "is_consented": registration.is_consented,
            "may_notify": registration.may_notify,
            "municipality_id": municipality or known.municipality_id,
        },
        now=now,
    )
    _record(db, "client.updated", client_id, known.municipality_id, actor=actor, now=now)
    return _present(db, client_id)


def import_client(
    db: Session, registration: Registration, *, actor: Actor, now: datetime
) -> RegisteredClientWithSecret | RegistrationRefusal:
    """Register what a file says, or bring the client of that id to the same state."""
    client_id = registration.client_id
    if client_id is None or find_any_client(db, client_id) is None:
        return register_client(db, registration, actor=actor, now=now)
    changed = update_client(db, client_id, registration, actor=actor, now=now)
    if isinstance(changed, RegistrationRefusal):
        return changed
    given = registration.client_secret
    if given is not None and digest(given) not in {each.digest for each in changed.secrets}:
        _add_secret(db, client_id, given, now=now)
        _change(db, client_id, {}, now=now)
    return RegisteredClientWithSecret(_present(db, client_id), None)


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
    if client.token_endpoint_auth_method not in _SECRET_METHODS:
        return RegistrationRefusal.NO_SECRET
    newest = next(iter(client.secrets), None)
    for old in client.secrets:
        ends = now + overlap if old is newest else now
        db.execute(
            update(ClientSecret)
            .where(ClientSecret.client_id == client_id, ClientSecret.digest == old.digest)
            .values(expires_at=ends if old.expires_at is None else min(ends, old.expires_at))
        )
    secret = _add_secret(db, client_id, None, now=now)
    _change(db, client_id, {}, now=now)
    _record(db, "client.secret_rotated", client_id, client.municipality_id, actor=actor, now=now)
    return RegisteredClientWithSecret(_present(db, client_id), secret)


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
    _change(db, client_id, {}, now=now)
    _record(db, "client.old_secrets_ended", client_id, None, actor=actor, now=now)
    return True


def disable_client(db: Session, client_id: str, *, actor: Actor, now: datetime) -> bool:
    """Stop a client at once, with everything it was granted."""
    if not _change(db, client_id, {"status": ClientStatus.DISABLED}, now=now):
        return False
    revoke_families_of_client(db, client_id, "client_disabled", now=now)
    _record(db, "client.disabled", client_id, None, actor=actor, now=now)
    return True


def enable_client(db: Session, client_id: str, *, actor: Actor, now: datetime) -> bool:
    """Let a disabled client be used again; what it had been granted stays void."""
    if not _change(db, client_id, {"status": ClientStatus.ACTIVE}, now=now):
        return False
    _record(db, "client.enabled", client_id, None, actor=actor, now=now)
    return True


def _change(db: Session, client_id: str, values: dict[str, object], *, now: datetime) -> bool:
    """Write values and raise the version: every cached copy is old from the commit on."""
    result = db.execute(
        update(Client)
        .where(Client.id == client_id)
        .values(**values, version=Client.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _present(db: Session, client_id: str) -> RegisteredClient:
    """Return the client as this transaction has left it, past the cache: it may roll back."""
    return load_client(db, client_id)


def export_client(db: Session, client: RegisteredClient) -> dict[str, object]:
    """Return the document of a client as a file holds it; never a secret (CA-08)."""
    code = None
    if client.municipality_id is not None:
        wanted = Municipality.id == client.municipality_id
        code = db.scalar(select(Municipality.code).where(wanted))
    own: dict[str, object] = {
        "client_id": client.client_id,
        "kosodate_municipality": code,
        "kosodate_sector": client.sector,
        "kosodate_consented": client.is_consented or None,
        "kosodate_may_notify": client.may_notify or None,
    }
    metadata: ClientMetadata = client
    return {name: value for name, value in own.items() if value is not None} | write_metadata(
        metadata
    )


def _record(
    db: Session,
    name: str,
    client_id: str,
    municipality_id: UUID | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    act = Act(name, client_id=client_id, municipality_id=municipality_id)
    record(db, act, actor=actor, now=now)
