"""The registry of clients: register one, change it, stop it."""

from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.ids import new_version
from idp.base.keyring import Keyring
from idp.base.secret import new_token
from idp.domain.grants.client_addresses import NOTHING, Gathered
from idp.domain.grants.client_export import changed_members, export_client
from idp.domain.grants.client_secrets import (
    SECRET_METHODS,
    add_secret,
    fit_secrets,
    is_retired,
)
from idp.domain.grants.client_sector import SectorFault, choose_sector, find_sector_change
from idp.domain.grants.client_writing import (
    RegisteredClientWithSecret,
    RegistrationRefusal,
    change_client,
    hold_client,
    record_change,
)
from idp.domain.grants.clients import find_any_client, load_client
from idp.domain.grants.key_rotation import REQUIRED
from idp.domain.grants.logos import store_logo
from idp.domain.grants.token_families import revoke_families_of_client
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.clients import Client, ClientOrigin, ClientStatus
from idp.model.grants import KeyState, SigningKey
from idp.model.households import Municipality
from idp.protocol.client import ClientMetadata, RegisteredClient
from idp.protocol.export import write_metadata
from idp.protocol.registration import Registration

_ORIGINS = MappingProxyType(
    {
        "account": ClientOrigin.CONSOLE,
        "cli": ClientOrigin.COMMAND_LINE,
        "system": ClientOrigin.COMMAND_LINE,
        "registrant": ClientOrigin.REGISTRATION,
        "seed": ClientOrigin.SEED,
    }
)


def register_client(
    db: Session,
    registration: Registration,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
    gathered: Gathered = NOTHING,
) -> RegisteredClientWithSecret | RegistrationRefusal:
    """Write a new client. Without an id of its own it gets a random one."""
    municipality = _find_municipality(db, registration)
    if municipality is None and registration.municipality_code is not None:
        return RegistrationRefusal.MUNICIPALITY_UNKNOWN
    client_id = registration.client_id or new_token()[:24]
    sector = choose_sector(registration, client_id, gathered)
    if isinstance(sector, SectorFault):
        return RegistrationRefusal(sector)
    if not _can_sign(db, registration.metadata):
        return RegistrationRefusal.KEY_MISSING
    client = Client(
        id=client_id,
        municipality_id=municipality,
        status=ClientStatus.ACTIVE,
        details=write_metadata(registration.metadata),
        is_consented=registration.is_consented,
        may_notify=registration.may_notify,
        sector=sector,
        logo_digest=store_logo(db, gathered.logo, now=now) if gathered.logo else None,
        version=new_version(),
        origin=_ORIGINS[actor.kind],
        created_by=actor.account_id,
        created_at=now,
        updated_at=now,
    )
    if not _insert(db, client):
        return RegistrationRefusal.CLIENT_ID_TAKEN
    secret = _first_secret(db, client.id, registration, keys=keys, now=now)
    record_change(db, "client.registered", client.id, municipality, actor=actor, now=now)
    return RegisteredClientWithSecret(load_client(db, client.id), secret)


def _first_secret(
    db: Session, client_id: str, registration: Registration, *, keys: Keyring, now: datetime
) -> str | None:
    client = load_client(db, client_id)
    if client.token_endpoint_auth_method not in SECRET_METHODS:
        return None
    return add_secret(db, client, registration.client_secret, keys=keys, now=now)


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


def _can_sign(db: Session, metadata: ClientMetadata) -> bool:
    """Whether everything it wants signed can be; every start makes the usual keys."""
    wanted = {
        metadata.id_token_signed_response_alg,
        metadata.userinfo_signed_response_alg,
        metadata.authorization_signed_response_alg,
        metadata.introspection_signed_response_alg,
    }
    missing = wanted.difference({None}, REQUIRED)
    if not missing:
        return True
    active = SigningKey.state == KeyState.ACTIVE
    known = db.scalars(select(SigningKey.alg).where(active, SigningKey.alg.in_(missing)))
    return missing == set(known)


def update_client(
    db: Session,
    client_id: str,
    registration: Registration,
    *,
    actor: Actor,
    now: datetime,
    gathered: Gathered = NOTHING,
) -> RegisteredClient | RegistrationRefusal:
    """Replace the metadata of a client; its secrets stay, its sector may not change."""
    known = find_any_client(db, client_id)
    if known is None:
        return RegistrationRefusal.CLIENT_UNKNOWN
    change = find_sector_change(registration, known, gathered)
    if change is not None:
        return RegistrationRefusal(change)
    municipality = _find_municipality(db, registration)
    if municipality is None and registration.municipality_code is not None:
        return RegistrationRefusal.MUNICIPALITY_UNKNOWN
    if not _can_sign(db, registration.metadata):
        return RegistrationRefusal.KEY_MISSING
    change_client(
        db,
        client_id,
        {
            "details": write_metadata(registration.metadata),
            "is_consented": registration.is_consented,
            "may_notify": registration.may_notify,
            "municipality_id": municipality,
            **_new_logo(db, known, registration.metadata, gathered, now=now),
        },
        now=now,
    )
    return _note_changes(db, known, actor=actor, now=now)


def _note_changes(
    db: Session, known: RegisteredClient, *, actor: Actor, now: datetime
) -> RegisteredClient:
    """Name in the audit what is no longer as it was known."""
    changed = load_client(db, known.client_id)
    members = changed_members(export_client(db, known), export_client(db, changed))
    act = Act(
        "client.updated",
        client_id=known.client_id,
        municipality_id=known.municipality_id,
        detail={"members": " ".join(members)},
    )
    record(db, act, actor=actor, now=now)
    return changed


def _new_logo(
    db: Session,
    known: RegisteredClient,
    metadata: ClientMetadata,
    gathered: Gathered,
    *,
    now: datetime,
) -> dict[str, object]:
    """Return what changes of the logo: one whose server is away for a moment stays."""
    if gathered.logo is not None:
        return {"logo_digest": store_logo(db, gathered.logo, now=now)}
    return {} if metadata.logo_uri == known.logo_uri else {"logo_digest": None}


def import_client(
    db: Session,
    registration: Registration,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
    gathered: Gathered = NOTHING,
) -> RegisteredClientWithSecret | RegistrationRefusal:
    """Register what a document says, or bring the client of that id to the same state.

    A secret is in the answer only if one had to be made: for a new client, or for one that
    has changed to a method which its secrets do not serve.
    """
    client_id = registration.client_id
    if client_id is None or find_any_client(db, client_id) is None:
        return register_client(db, registration, actor=actor, keys=keys, now=now, gathered=gathered)
    given = registration.client_secret
    hold_client(db, client_id)  # no secret ends between this look and what is written
    if given is not None and is_retired(db, client_id, given, now=now):
        return RegistrationRefusal.SECRET_RETIRED
    changed = update_client(db, client_id, registration, actor=actor, now=now, gathered=gathered)
    if isinstance(changed, RegistrationRefusal):
        return changed
    secret = fit_secrets(db, changed, given, actor=actor, keys=keys, now=now)
    change_client(db, client_id, {}, now=now)
    return RegisteredClientWithSecret(load_client(db, client_id), secret)


def disable_client(db: Session, client_id: str, *, actor: Actor, now: datetime) -> bool:
    """Stop a client at once, with everything it was granted."""
    if not change_client(db, client_id, {"status": ClientStatus.DISABLED}, now=now):
        return False
    revoke_families_of_client(db, client_id, "client_disabled", now=now)
    record_change(db, "client.disabled", client_id, None, actor=actor, now=now)
    return True


def enable_client(db: Session, client_id: str, *, actor: Actor, now: datetime) -> bool:
    """Let a disabled client be used again; what it had been granted stays void."""
    known = find_any_client(db, client_id)
    if known is None or known.is_removed:
        return False
    change_client(db, client_id, {"status": ClientStatus.ACTIVE}, now=now)
    record_change(db, "client.enabled", client_id, None, actor=actor, now=now)
    return True
