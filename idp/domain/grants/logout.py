"""The end of a session at the services: tokens die, and every service is told."""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import new_token
from idp.base.url import with_query
from idp.db.rows import change
from idp.domain.grants.clients import find_client, subject_sector
from idp.domain.grants.keys import load_keys
from idp.domain.grants.own_tokens import sign
from idp.domain.grants.token_families import revoke_families_of_session
from idp.domain.upkeep.outbox import BackchannelLogout, enqueue_backchannel_logout
from idp.model.grants import ClientSession
from idp.model.signin import BrowserSession
from idp.protocol import logout
from idp.protocol.client import RegisteredClient
from idp.protocol.subject import SubjectKind, derive_session, derive_subject

_seen: Any = ClientSession.__table__


def note_client(db: Session, session_id: UUID, client_id: str, *, now: datetime) -> None:
    """Remember that a client took part in a browser session, so that it is told at the end."""
    change(
        db,
        _note(db.get_bind().dialect.name),
        {
            "id": new_id(now=now),
            "session_id": session_id,
            "client_id": client_id,
            "first_used_at": now,
            "last_used_at": now,
        },
    )


@functools.cache
def _note(dialect: str) -> Any:  # noqa: ANN401
    """Return the UPSERT: of two tabs both are right, the row is there once."""
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(_seen)
    return statement.on_conflict_do_update(
        index_elements=[_seen.c.session_id, _seen.c.client_id],
        set_={"last_used_at": statement.excluded.last_used_at},
    )


def forget_session(db: Session, session_id: UUID, *, keys: Keyring, now: datetime) -> None:
    """End what services hold of a session, and put a call for each into the outbox.

    Called once, by whoever has just ended the session (idp.domain.signin.sessions).
    """
    revoke_families_of_session(db, session_id, "session_ended", now=now)
    account_id = db.scalar(select(BrowserSession.account_id).where(BrowserSession.id == session_id))
    if account_id is None:
        return
    for client_id in _clients_of(db, session_id):
        client = find_client(db, client_id)
        if client is not None and client.backchannel_logout_uri is not None:
            call = BackchannelLogout(client_id, session_id, account_id)
            enqueue_backchannel_logout(db, call, keys=keys, now=now)


def frontchannel_addresses(
    db: Session, session_id: UUID, *, issuer: str, keys: Keyring
) -> tuple[str, ...]:
    """Return what a page of ours loads in frames when a session ends (Front-Channel Logout §2).

    Every service of the session that registered an address gets `iss` and its own `sid`.
    """
    clients = (find_client(db, client_id) for client_id in _clients_of(db, session_id))
    return tuple(
        with_query(
            client.frontchannel_logout_uri,
            {"iss": issuer, "sid": session_at(client, session_id, keys=keys)},
        )
        for client in clients
        if client is not None and client.frontchannel_logout_uri is not None
    )


def _clients_of(db: Session, session_id: UUID) -> list[str]:
    wanted = select(ClientSession.client_id).where(ClientSession.session_id == session_id)
    return list(db.scalars(wanted.order_by(ClientSession.first_used_at)))


@dataclass(frozen=True)
class LogoutCall:
    """What the worker sends: a POST of the form field `logout_token` to this address."""

    uri: str
    logout_token: str


def build_logout_call(
    db: Session, ended: BackchannelLogout, *, issuer: str, keys: Keyring, now: datetime
) -> LogoutCall | None:
    """Return the call for an ended session, signed now; None if the client wants none any more.

    Signed at each try, so that a token that waited in the outbox is never too old.
    """
    client = find_client(db, ended.client_id)
    if client is None or client.backchannel_logout_uri is None:
        return None
    facts = logout.LogoutTokenFacts(
        issuer=issuer,
        client_id=client.client_id,
        subject=subject_at(client, ended.account_id, keys=keys),
        session=session_at(client, ended.session_id, keys=keys),
    )
    claims = logout.build_logout_token(facts, jti=new_token(), now=now)
    signer = load_keys(db, keys=keys, now=now).signer(client.id_token_signed_response_alg)
    return LogoutCall(
        uri=client.backchannel_logout_uri,
        logout_token=sign(claims, signer, kind=logout.TYPE),
    )


def subject_at(client: RegisteredClient, account_id: UUID, *, keys: Keyring) -> str:
    """Return the `sub` by which a client knows a person."""
    return derive_subject(
        keys.subject_key, SubjectKind.PERSON, sector=subject_sector(client), entity_id=account_id
    )


def session_at(client: RegisteredClient, session_id: UUID, *, keys: Keyring) -> str:
    """Return the `sid` by which a client knows a session."""
    return derive_session(keys.subject_key, client_id=client.client_id, session_id=session_id)
