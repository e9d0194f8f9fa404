"""Security events: written with the act, for the clients that know whom it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp.base.keyring import Keyring
from idp.base.secret import new_token
from idp.domain.grants.clients import find_client, list_clients, subject_sector
from idp.domain.grants.keys import load_keys
from idp.domain.grants.logout import subject_at
from idp.domain.grants.own_tokens import sign
from idp.domain.people.households import is_in_force, protected_members
from idp.domain.people.protection import protected_among
from idp.domain.upkeep.outbox import EventMessage, Fact, enqueue_event
from idp.model.grants import ClientSession, Consent, TokenFamily
from idp.model.households import Membership
from idp.model.signin import BrowserSession
from idp.protocol import events
from idp.protocol.client import RegisteredClient
from idp.protocol.events import EventFacts, SecurityEvent
from idp.protocol.subject import SubjectKind, derive_subject


def tell_of_person(
    db: Session,
    event: SecurityEvent,
    account_id: UUID,
    *,
    details: Mapping[str, Fact] | None = None,
    keys: Keyring,
    now: datetime,
) -> None:
    """Tell the services a person uses what happened to her account."""
    for client in _subscribers(db, event):
        if _knows_person(db, client, account_id):
            message = EventMessage(event, client.client_id, new_token(), account_id=account_id)
            enqueue_event(db, message, details=details or {}, keys=keys, now=now)


def tell_of_household(
    db: Session,
    event: SecurityEvent,
    household_id: UUID,
    account_id: UUID,
    *,
    keys: Keyring,
    now: datetime,
) -> None:
    """Tell the services that hold something for a household that its members changed.

    Nobody is named, and where somebody in it is protected (D3), or the one it is about is,
    nothing leaves at all: a service shows both sides what it knows of a household.
    """
    if _is_protected(db, household_id, account_id, now=now):
        return
    for client in _subscribers(db, event):
        if _knows_household(db, client, household_id, now=now):
            message = EventMessage(
                event,
                client.client_id,
                new_token(),
                account_id=account_id,
                household_id=household_id,
            )
            enqueue_event(db, message, details={}, keys=keys, now=now)


@dataclass(frozen=True)
class ChangedDocument:
    """Which document got which version, and from when it holds."""

    municipality_id: UUID
    #: `terms` or `privacy`, as its address has it.
    name: str
    version: int
    effective_at: datetime


def tell_of_document(
    db: Session, changed: ChangedDocument, *, keys: Keyring, now: datetime
) -> None:
    """Tell the services of a municipality that its terms or its privacy policy changed."""
    details: dict[str, Fact] = {
        "document": changed.name,
        "version": changed.version,
        "effective_at": int(changed.effective_at.timestamp()),
    }
    for client in _subscribers(db, SecurityEvent.DOCUMENTS_CHANGED):
        if client.municipality_id in {None, changed.municipality_id}:
            message = EventMessage(SecurityEvent.DOCUMENTS_CHANGED, client.client_id, new_token())
            enqueue_event(db, message, details=details, keys=keys, now=now)


def _subscribers(db: Session, event: SecurityEvent) -> tuple[RegisteredClient, ...]:
    return tuple(
        client
        for client in list_clients(db)
        if client.is_active and client.event_endpoint is not None and event in client.events
    )


def _knows_person(db: Session, client: RegisteredClient, account_id: UUID) -> bool:
    """Whether a person uses a service: a foreign one only if she consents to it still."""
    if not client.is_consented:
        return _any_consents(db, client, Consent.account_id == account_id)
    users = _users_of(client, TokenFamily.account_id, BrowserSession.account_id, account_id)
    return db.scalars(users.limit(1)).first() is not None


def _knows_household(
    db: Session, client: RegisteredClient, household_id: UUID, *, now: datetime
) -> bool:
    """Whether a service was used for a household.

    One of the municipality keeps what it holds for the household whoever acts for it; a
    foreign one counts only while somebody of today's members consents to it.
    """
    users = _users_of(client, TokenFamily.household_id, BrowserSession.household_id, household_id)
    if client.is_consented:
        return db.scalars(users.limit(1)).first() is not None
    members = select(Membership.account_id).where(
        Membership.household_id == household_id, is_in_force(Membership, now)
    )
    return _any_consents(db, client, Consent.account_id.in_(users), Consent.account_id.in_(members))


def _users_of(
    client: RegisteredClient,
    granted_for: InstrumentedAttribute[Any],
    signed_in_for: InstrumentedAttribute[Any],
    wanted: UUID,
) -> CompoundSelect[UUID]:
    """Select who was granted something, or took part in a session, for what is wanted."""
    sessions = select(BrowserSession.account_id).join(
        ClientSession, ClientSession.session_id == BrowserSession.id
    )
    return (
        select(TokenFamily.account_id)
        .where(TokenFamily.client_id == client.client_id, granted_for == wanted)
        .union(sessions.where(ClientSession.client_id == client.client_id, signed_in_for == wanted))
    )


def _any_consents(db: Session, client: RegisteredClient, *conditions: ColumnElement[bool]) -> bool:
    consented = select(Consent.id).where(
        Consent.client_id == client.client_id, Consent.revoked_at.is_(None), *conditions
    )
    return db.scalars(consented.limit(1)).first() is not None


def _is_protected(db: Session, household_id: UUID, account_id: UUID, *, now: datetime) -> bool:
    return bool(
        protected_members(db, household_id, now=now) or protected_among(db, frozenset({account_id}))
    )


@dataclass(frozen=True)
class EventPush:
    """What the worker sends: a POST of this token to this address (RFC 8935 §2.1)."""

    uri: str
    token: str


def build_event_push(  # noqa: PLR0913 - one event has so many sides
    db: Session,
    message: EventMessage,
    *,
    details: Mapping[str, Fact],
    happened_at: datetime,
    issuer: str,
    keys: Keyring,
    now: datetime,
) -> EventPush | None:
    """Return the push of an event, signed now; None if nobody may or wants to hear it any more.

    The claims are those of the moment it happened, so that a second try is the same event.
    """
    client = find_client(db, message.client_id)
    if client is None or client.event_endpoint is None or message.event not in client.events:
        return None
    if message.household_id is not None:
        assert message.account_id is not None
        # Somebody may have been protected while it waited.
        if _is_protected(db, message.household_id, message.account_id, now=now):
            return None
    facts = EventFacts(
        issuer=issuer,
        client_id=client.client_id,
        event=message.event,
        subject=_subject(message, client, details, issuer=issuer, keys=keys),
        details=details,
        jti=message.jti,
        happened_at=happened_at,
    )
    signer = load_keys(db, keys=keys, now=now).signer(client.id_token_signed_response_alg)
    token = sign(events.build_event_token(facts), signer, kind=events.TYPE)
    return EventPush(client.event_endpoint, token)


def _subject(
    message: EventMessage,
    client: RegisteredClient,
    details: Mapping[str, Fact],
    *,
    issuer: str,
    keys: Keyring,
) -> dict[str, object]:
    if message.household_id is not None:
        household = derive_subject(
            keys.subject_key,
            SubjectKind.HOUSEHOLD,
            sector=subject_sector(client),
            entity_id=message.household_id,
        )
        return events.name_household(household)
    if message.account_id is not None:
        return events.name_person(issuer, subject_at(client, message.account_id, keys=keys))
    return events.name_document(f"{issuer}/documents/{details['document']}")
