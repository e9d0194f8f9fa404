"""Initial access tokens: what lets a service register itself, made and ended by us."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.secret import digest, new_token
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.clients import Client, InitialAccessToken
from idp.model.households import Municipality
from idp.protocol.self_registration import RegistrantPolicy

#: Bounds of an order: a token that was forgotten somewhere must not work for years.
MAX_DAYS = 90
MAX_USES = 10_000


class TokenRefusal(StrEnum):
    """Why no token could be made."""

    MUNICIPALITY_UNKNOWN = "municipality_unknown"


@dataclass(frozen=True, kw_only=True)
class TokenOrder:
    """What a token is to allow."""

    label: str
    scopes: frozenset[str]
    expires_at: datetime
    uses: int = 1
    municipality_code: str | None = None
    is_legacy: bool = False


@dataclass(frozen=True)
class NewInitialToken:
    """A token, this once in clear."""

    id: UUID
    token: str


@dataclass(frozen=True, kw_only=True)
class InitialToken:
    """A token as the console lists it."""

    id: UUID
    label: str
    municipality_code: str | None
    policy: RegistrantPolicy
    created_at: datetime
    expires_at: datetime
    uses_left: int
    revoked_at: datetime | None
    client_count: int

    def is_usable(self, *, now: datetime) -> bool:
        """Whether somebody could still register with it."""
        return self.revoked_at is None and self.uses_left > 0 and now < self.expires_at


def create_initial_token(
    db: Session, order: TokenOrder, *, actor: Actor, now: datetime
) -> NewInitialToken | TokenRefusal:
    """Make a token for one or several registrations."""
    municipality_id = None
    if order.municipality_code is not None:
        wanted = Municipality.code == order.municipality_code
        municipality_id = db.scalar(select(Municipality.id).where(wanted))
        if municipality_id is None:
            return TokenRefusal.MUNICIPALITY_UNKNOWN
    token = new_token()
    row = InitialAccessToken(
        id=new_id(now=now),
        token_digest=digest(token),
        label=order.label,
        municipality_id=municipality_id,
        scopes=sorted(order.scopes),
        is_legacy=order.is_legacy,
        created_by=actor.account_id,
        created_at=now,
        expires_at=order.expires_at,
        uses_left=order.uses,
    )
    db.add(row)
    db.flush()  # the audit names it
    _record(db, "registration_token.created", row.id, municipality_id, actor=actor, now=now)
    return NewInitialToken(row.id, token)


def list_initial_tokens(db: Session) -> tuple[InitialToken, ...]:
    """Return every token that is still known, the newest first."""
    count = (
        select(func.count())
        .select_from(Client)
        .where(Client.initial_access_token_id == InitialAccessToken.id)
        .scalar_subquery()
    )
    rows = db.execute(
        select(InitialAccessToken, Municipality.code, count)
        .outerjoin(Municipality, Municipality.id == InitialAccessToken.municipality_id)
        .order_by(InitialAccessToken.created_at.desc(), InitialAccessToken.id.desc())
    )
    return tuple(_present(row, code, clients) for row, code, clients in rows)


def _present(row: InitialAccessToken, code: str | None, client_count: int) -> InitialToken:
    return InitialToken(
        id=row.id,
        label=row.label,
        municipality_code=code,
        policy=policy_of(row),
        created_at=row.created_at,
        expires_at=row.expires_at,
        uses_left=row.uses_left,
        revoked_at=row.revoked_at,
        client_count=client_count,
    )


def policy_of(row: InitialAccessToken) -> RegistrantPolicy:
    """Return what a token allows."""
    return RegistrantPolicy(scopes=frozenset(row.scopes), is_legacy=row.is_legacy)


def revoke_initial_token(db: Session, token_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """End a token: nobody registers with it any more. Clients that came with it stay."""
    result = db.execute(
        update(InitialAccessToken)
        .where(InitialAccessToken.id == token_id, InitialAccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        return False
    _record(db, "registration_token.revoked", token_id, None, actor=actor, now=now)
    return True


def find_initial_token(db: Session, token: str, *, now: datetime) -> InitialAccessToken | None:
    """Return a token that works now."""
    return db.scalar(select(InitialAccessToken).where(*_works(token, now=now)))


def spend_initial_token(db: Session, token: str, *, now: datetime) -> bool:
    """Take one use of a token; the condition in the UPDATE is the lock."""
    result = db.execute(
        update(InitialAccessToken)
        .where(*_works(token, now=now))
        .values(uses_left=InitialAccessToken.uses_left - 1)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _works(token: str, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        InitialAccessToken.token_digest == digest(token),
        InitialAccessToken.revoked_at.is_(None),
        InitialAccessToken.expires_at > now,
        InitialAccessToken.uses_left > 0,
    )


def _record(
    db: Session,
    name: str,
    token_id: UUID,
    municipality_id: UUID | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    act = Act(name, municipality_id=municipality_id, detail={"token_id": str(token_id)})
    record(db, act, actor=actor, now=now)
