"""Refresh tokens: rotated for public clients, where a second use betrays a theft."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, new_token
from idp.db.rows import change, fetch_one
from idp.domain.grants.standing import (
    Family,
    Void,
    find_void_for_grant,
    read_family,
    select_standing,
    terms_are_new,
)
from idp.domain.grants.token_families import revoke_family
from idp.domain.upkeep.audit import Act, Actor, record
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.grants import RefreshToken, TokenFamily
from idp.protocol.resources import is_within
from idp.protocol.scope import is_narrower

#: The end of a token that is used daily is moved at most so often: a refresh seldom writes.
_EXTEND_AFTER = timedelta(days=1)

_family: Any = TokenFamily.__table__
_token: Any = RefreshToken.__table__

_FIND = (
    select_standing()
    .add_columns(
        _token.c.id.label("token_id"),
        _token.c.expires_at.label("token_expires_at"),
        _token.c.rotated_at,
        _token.c.key_thumbprint,
        terms_are_new().label("terms_new"),
    )
    .join(_token, _token.c.family_id == _family.c.id)
    .where(_token.c.token_digest == bindparam("digest"))
)
_UNUSED = (_token.c.id == bindparam("token"), _token.c.rotated_at.is_(None))
_ROTATE = update(_token).where(*_UNUSED).values(rotated_at=bindparam("at"))
_EXTEND = update(_token).where(*_UNUSED).values(expires_at=bindparam("until"))
_NEW_TOKEN = insert(_token)


class Rotation(StrEnum):
    """Whether a use makes a new token.

    Public clients rotate (RFC 9700 §4.14); confidential ones prove themselves at every use
    and do not (FAPI 2.0 Security Profile §5.3.2.1).
    """

    ALWAYS = "always"
    NEVER = "never"


class RefreshRefusal(StrEnum):
    """Why a refresh token was refused. For the log: the client hears `invalid_grant`."""

    UNKNOWN = "refresh_unknown"
    REUSED = "refresh_reused"
    EXPIRED = "refresh_expired"
    KEY = "refresh_key_mismatch"
    #: More than was granted was asked for: the client hears `invalid_scope`.
    SCOPE = "refresh_scope"
    #: A token for another service was asked for: the client hears `invalid_target`.
    TARGET = "refresh_target"


@dataclass(frozen=True)
class PresentedRefreshToken:
    """What an authenticated client brings."""

    token: str
    client_id: str
    #: The scopes it wants this time; empty: all that were granted.
    scope: str | None
    rotation: Rotation
    idle_lifetime: timedelta = timedelta(days=30)
    #: The key that the client has proved to hold.
    key: str | None = None
    #: The services it wants a token for this time; empty: all that were granted.
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refreshed:
    """The authorization that stands behind the token, and the successor if there is one."""

    family: Family
    scope: str
    new_token: str | None


def issue_refresh_token(
    db: Session,
    family: Family,
    *,
    idle_lifetime: timedelta,
    now: datetime,
    key: str | None = None,
) -> str:
    """Make a refresh token of a family; only its digest is kept.

    `key` is what a public client must prove to hold at every use (RFC 9449 §5); confidential
    ones prove who they are and may change their key.
    """
    token = new_token()
    change(
        db,
        _NEW_TOKEN,
        {
            "id": new_id(now=now),
            "token_digest": digest(token),
            "family_id": family.id,
            "key_thumbprint": key,
            "issued_at": now,
            "expires_at": min(now + idle_lifetime, family.expires_at),
        },
    )
    return token


def redeem_refresh_token(
    db: Session, presented: PresentedRefreshToken, *, keys: Keyring, actor: Actor, now: datetime
) -> Refreshed | RefreshRefusal | Void:
    """Return what a refresh token stands for, and its successor where tokens rotate.

    A token that was rotated before is in two hands: the whole family ends and the person is
    told (RFC 9700 §4.14.2). That writes, so refusals are returned and the caller commits.
    """
    row = fetch_one(db, _FIND, {"digest": digest(presented.token), "now": now})
    if row is None or row.client_id != presented.client_id:
        return RefreshRefusal.UNKNOWN
    if row.key_thumbprint not in (None, presented.key):
        # Asked first: whoever does not hold the key cannot end the family by a used token.
        return RefreshRefusal.KEY
    if row.rotated_at is not None:
        return _report_reuse(db, row, keys=keys, actor=actor, now=now)
    refusal = _find_refusal(presented, row, now=now)
    if refusal is not None:
        return refusal
    family = read_family(row)
    scope = presented.scope or family.scope
    if presented.rotation is Rotation.NEVER:
        _extend(db, row, presented.idle_lifetime, now=now)
        return Refreshed(family, scope, None)
    if not _claim(db, row.token_id, now=now):
        return _report_reuse(db, row, keys=keys, actor=actor, now=now)
    successor = issue_refresh_token(
        db, family, idle_lifetime=presented.idle_lifetime, now=now, key=presented.key
    )
    return Refreshed(family, scope, successor)


def _find_refusal(
    presented: PresentedRefreshToken,
    row: Any,  # noqa: ANN401
    *,
    now: datetime,
) -> RefreshRefusal | Void | None:
    if row.token_expires_at <= now:
        return RefreshRefusal.EXPIRED
    void = find_void_for_grant(row, now=now)
    if void is not None:
        return void
    if not is_within(presented.resources, row.facts.get("resources", ())):
        return RefreshRefusal.TARGET
    if presented.scope is not None and not is_narrower(presented.scope, row.scope):
        return RefreshRefusal.SCOPE
    return None


def _claim(db: Session, token_id: UUID, *, now: datetime) -> bool:
    """Mark the token rotated unless a concurrent request just did; tell who won."""
    return change(db, _ROTATE, {"token": token_id, "at": now}) == 1


def _extend(db: Session, row: Any, idle_lifetime: timedelta, *, now: datetime) -> None:  # noqa: ANN401
    until = min(now + idle_lifetime, row.family_expires_at)
    if until - row.token_expires_at >= _EXTEND_AFTER:
        change(db, _EXTEND, {"token": row.token_id, "until": until})


def _report_reuse(
    db: Session,
    row: Any,  # noqa: ANN401
    *,
    keys: Keyring,
    actor: Actor,
    now: datetime,
) -> RefreshRefusal:
    """End the family; the person hears of it once."""
    if revoke_family(db, row.family_id, RefreshRefusal.REUSED, now=now):
        act = Act(
            "refresh.reused",
            subject_id=row.account_id,
            client_id=row.client_id,
            reason=RefreshRefusal.REUSED,
            detail={"family": str(row.family_id)},
        )
        record(db, act, actor=actor, now=now)
        mail = Mail(
            "access_changed",
            row.account_id,
            {},
            once_key=f"refresh_reused:{row.family_id}",
            client_id=row.client_id,
        )
        enqueue_mail(db, mail, keys=keys, now=now)
    return RefreshRefusal.REUSED
