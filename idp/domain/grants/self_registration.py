"""Clients that register and change themselves (RFC 7591, RFC 7592, OIDC Registration)."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import digest, equal, new_token
from idp.domain.grants.client_addresses import Gathered, keep_proof
from idp.domain.grants.client_export import municipality_code_of
from idp.domain.grants.client_registry import register_client, update_client
from idp.domain.grants.client_secrets import end_secrets, fit_secrets
from idp.domain.grants.client_sector import SectorFault, choose_sector
from idp.domain.grants.client_writing import (
    RegisteredClientWithSecret,
    RegistrationRefusal,
    change_client,
    record_change,
)
from idp.domain.grants.clients import find_client, load_client
from idp.domain.grants.initial_access_tokens import (
    find_initial_token,
    policy_of,
    spend_initial_token,
)
from idp.domain.grants.token_families import revoke_families_of_client
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.clients import Client, ClientStatus, InitialAccessToken
from idp.model.grants import Consent
from idp.model.households import Municipality
from idp.protocol.client import RegisteredClient
from idp.protocol.registration import Registration
from idp.protocol.self_registration import RegistrantPolicy


@dataclass(frozen=True)
class Admission:
    """That a registration may begin: by which token, and within which limits."""

    token_id: UUID
    policy: RegistrantPolicy
    municipality_code: str | None


@dataclass(frozen=True)
class Arrival:
    """From where a registrant calls, and the keys of the house that its secret may need."""

    address: str
    keys: Keyring


@dataclass(frozen=True)
class SelfRegistered:
    """A client that has just registered itself, with what it is shown this once."""

    client: RegisteredClient
    secret: str | None
    registration_token: str


def find_admission(db: Session, token: str, *, now: datetime) -> Admission | None:
    """Return what an initial access token allows, without using it up yet."""
    row = find_initial_token(db, token, now=now)
    return None if row is None else _admission(db, row)


def _admission(db: Session, row: InitialAccessToken) -> Admission:
    code = None
    if row.municipality_id is not None:
        code = db.scalar(select(Municipality.code).where(Municipality.id == row.municipality_id))
    return Admission(row.id, policy_of(row), code)


def register_self(
    db: Session,
    token: str,
    registration: Registration,
    *,
    gathered: Gathered,
    arrival: Arrival,
    now: datetime,
) -> SelfRegistered | RegistrationRefusal | None:
    """Use the token and write the client; None if the token is used up or ended by now.

    A refused registration leaves the token as it was: the caller rolls back.
    """
    admission = find_admission(db, token, now=now)
    if admission is None or not spend_initial_token(db, token, now=now):
        return None
    asked = replace(registration, municipality_code=admission.municipality_code)
    actor = Actor(kind="registrant", address=arrival.address)
    made = register_client(db, asked, actor=actor, keys=arrival.keys, now=now, gathered=gathered)
    if isinstance(made, RegistrationRefusal):
        return made
    registration_token = new_token()
    db.execute(
        update(Client)
        .where(Client.id == made.client.client_id)
        .values(
            registration_digest=digest(registration_token),
            initial_access_token_id=admission.token_id,
        )
        .execution_options(synchronize_session=False)
    )
    return SelfRegistered(made.client, made.secret, registration_token)


def note_refusal(
    db: Session, admission: Admission, faults: str, *, address: str, now: datetime
) -> None:
    """Note that a registration was refused, and why (AZ-08)."""
    detail = {"token_id": str(admission.token_id), "faults": faults}
    act = Act("client.registration_refused", detail=detail)
    record(db, act, actor=Actor(kind="registrant", address=address), now=now)


def find_self(db: Session, client_id: str, token: str) -> RegisteredClient | None:
    """Return the client if the registration access token is its own (RFC 7592 §2).

    None for an unknown client, a disabled one and a wrong token alike.
    """
    client = find_client(db, client_id)
    stored = db.scalar(select(Client.registration_digest).where(Client.id == client_id))
    if client is None or stored is None or not equal(bytes(stored), digest(token)):
        return None
    return client


def find_terms(db: Session, client_id: str) -> Admission | None:
    """Return the limits within which a client may change itself: those it came with."""
    row = db.scalar(
        select(InitialAccessToken)
        .join(Client, Client.initial_access_token_id == InitialAccessToken.id)
        .where(Client.id == client_id)
    )
    return None if row is None else _admission(db, row)


def replace_self(
    db: Session,
    client_id: str,
    registration: Registration,
    *,
    gathered: Gathered,
    arrival: Arrival,
    now: datetime,
) -> RegisteredClientWithSecret | RegistrationRefusal:
    """Replace what a client says of itself; what we decided about it stays.

    Its sector must be the same if it registered like this today: else it could take the
    identifiers of one host to another (RFC 7592 §2.2, OIDC Core §8.1).
    """
    known = load_client(db, client_id)
    terms = find_terms(db, client_id)
    came_with = replace(registration, municipality_code=terms.municipality_code if terms else None)
    proof = keep_proof(registration.metadata, known, gathered)
    sector = choose_sector(came_with, client_id, proof)
    if isinstance(sector, SectorFault):
        return RegistrationRefusal(sector)
    if sector != known.sector:
        return RegistrationRefusal.SECTOR_FIXED
    asked = replace(
        registration,
        municipality_code=municipality_code_of(db, known),
        is_consented=known.is_consented,
        may_notify=known.may_notify,
    )
    actor = Actor(kind="client", client_id=client_id, address=arrival.address)
    changed = update_client(db, client_id, asked, actor=actor, now=now, gathered=gathered)
    if isinstance(changed, RegistrationRefusal):
        return changed
    secret = fit_secrets(db, changed, None, actor=actor, keys=arrival.keys, now=now)
    return RegisteredClientWithSecret(load_client(db, client_id), secret)


def remove_self(db: Session, client_id: str, *, address: str, now: datetime) -> None:
    """Take a client away with everything it was granted (RFC 7592 §2.3).

    The row stays, for the audit and for what people had consented to, until housekeeping.
    """
    change_client(
        db,
        client_id,
        {"status": ClientStatus.REMOVED, "registration_digest": None},
        now=now,
    )
    end_secrets(db, client_id, now=now)
    revoke_families_of_client(db, client_id, "client_removed", now=now)
    db.execute(
        update(Consent)
        .where(Consent.client_id == client_id, Consent.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    actor = Actor(kind="client", client_id=client_id, address=address)
    record_change(db, "client.removed", client_id, None, actor=actor, now=now)
