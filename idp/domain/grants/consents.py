"""Consents: that a person lets a client have her data, until she takes it back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.db.rows import fetch_all
from idp.domain.grants.clients import find_any_client
from idp.domain.grants.token_families import revoke_families_of_consent
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.grants import Consent
from idp.protocol.client import RegisteredClient
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, join_scope, split_scope

_consent: Any = Consent.__table__
_GRANTED = select(_consent.c.scope).where(
    _consent.c.account_id == bindparam("account"),
    _consent.c.client_id == bindparam("client"),
    _consent.c.revoked_at.is_(None),
)


@dataclass(frozen=True)
class GivenConsent:
    """A consent as its owner sees it in the list."""

    client: RegisteredClient
    scopes: tuple[str, ...]
    granted_at: datetime


def consented_scopes(db: Session, account_id: UUID, client: RegisteredClient) -> frozenset[str]:
    """Return the scopes that need no question.

    A first-party service counts as consented for everything it is registered for, but access
    while the person is away is always hers to give (OIDC Core §11).
    """
    given = _given(db, account_id, client.client_id) or frozenset()
    return (given & client.scopes) | _standing(client)


def consented_among(
    db: Session, account_id: UUID, client: RegisteredClient, wanted: frozenset[str]
) -> frozenset[str]:
    """Return enough of `consented_scopes` to judge these; a first-party service costs no query."""
    standing = _standing(client)
    return standing if wanted <= standing else consented_scopes(db, account_id, client)


def _standing(client: RegisteredClient) -> frozenset[str]:
    return client.scopes - {OFFLINE_ACCESS} if client.is_consented else frozenset({OPENID})


def _given(db: Session, account_id: UUID, client_id: str) -> frozenset[str] | None:
    """Return the scopes of the consent that stands, None if there is none."""
    rows = fetch_all(db, _GRANTED, {"account": account_id, "client": client_id})
    return frozenset(name for row in rows for name in split_scope(row.scope)) if rows else None


def grant_consent(
    db: Session, account_id: UUID, client_id: str, scope: str, *, actor: Actor, now: datetime
) -> None:
    """Write that the person agreed; what she had agreed to before stays agreed to."""
    given = _given(db, account_id, client_id)
    if given is not None and split_scope(scope) <= given:
        return
    _close(db, account_id, client_id, now=now)
    together = join_scope((given or frozenset()) | split_scope(scope))
    db.add(
        Consent(
            id=new_id(now=now),
            account_id=account_id,
            client_id=client_id,
            scope=together,
            granted_at=now,
        )
    )
    db.flush()  # the next question asks below the object mapper
    act = Act(
        "consent.granted",
        subject_id=account_id,
        client_id=client_id,
        detail={"scope": together},
    )
    record(db, act, actor=actor, now=now)


def revoke_consent(
    db: Session, account_id: UUID, client_id: str, *, actor: Actor, now: datetime
) -> bool:
    """Take a consent back: everything the client holds of this person dies with it (RT-07)."""
    closed = _close(db, account_id, client_id, now=now)
    revoked = revoke_families_of_consent(db, account_id, client_id, "consent_revoked", now=now)
    if not closed and not revoked:
        return False
    act = Act("consent.revoked", subject_id=account_id, client_id=client_id)
    record(db, act, actor=actor, now=now)
    return True


def list_consents(db: Session, account_id: UUID) -> tuple[GivenConsent, ...]:
    """Return the person's consents, the newest first; of disabled clients too."""
    rows = db.scalars(
        select(Consent)
        .where(Consent.account_id == account_id, Consent.revoked_at.is_(None))
        .order_by(Consent.granted_at.desc(), Consent.id.desc())
    ).all()
    found = ((row, find_any_client(db, row.client_id)) for row in rows)
    return tuple(
        GivenConsent(client, tuple(row.scope.split()), row.granted_at)
        for row, client in found
        if client is not None
    )


def _close(db: Session, account_id: UUID, client_id: str, *, now: datetime) -> int:
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(Consent)
        .where(
            Consent.account_id == account_id,
            Consent.client_id == client_id,
            Consent.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount
