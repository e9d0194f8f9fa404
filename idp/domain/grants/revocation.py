"""Giving a token back (RFC 7009), and saying what is known of one (RFC 7662)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import digest
from idp.db.rows import fetch_one
from idp.domain.grants.access_tokens import LiveToken, check_access_token, deny_token
from idp.domain.grants.standing import Family, find_void, read_family, select_standing
from idp.domain.grants.token_families import revoke_family
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.grants import RefreshToken, TokenFamily

_family: Any = TokenFamily.__table__
_token: Any = RefreshToken.__table__

_FIND = (
    select_standing()
    .add_columns(_token.c.expires_at.label("token_expires_at"), _token.c.rotated_at)
    .join(_token, _token.c.family_id == _family.c.id)
    .where(_token.c.token_digest == bindparam("digest"))
)
_OWNER = (
    select(_family.c.id, _family.c.client_id, _family.c.account_id)
    .select_from(_family.join(_token, _token.c.family_id == _family.c.id))
    .where(_token.c.token_digest == bindparam("digest"))
)


@dataclass(frozen=True)
class LiveRefreshToken:
    """A refresh token that may be used now."""

    family: Family
    expires_at: datetime


def revoke_token(
    db: Session, token: str, client_id: str, *, issuer: str, keys: Keyring, now: datetime
) -> bool:
    """End a token of this client, whatever kind it is; another client's stays as it is.

    A refresh token ends its whole family (RFC 7009 §2.1), an access token only itself. The
    client's hint is not asked: a wrong one must not save the token (trap T7).
    """
    row = fetch_one(db, _OWNER, {"digest": digest(token)})
    if row is not None:
        return row.client_id == client_id and _end_family(db, row, now=now)
    live = check_access_token(db, token, issuer=issuer, keys=keys, now=now)
    if not isinstance(live, LiveToken) or live.client_id != client_id:
        return False
    deny_token(db, live)
    return True


def _end_family(db: Session, row: Any, *, now: datetime) -> bool:  # noqa: ANN401
    ended = revoke_family(db, row.id, "revoked_by_client", now=now)
    if ended:
        actor = Actor(kind="client", client_id=row.client_id)
        record(db, Act("token.revoked", subject_id=row.account_id), actor=actor, now=now)
    return ended


def find_live_token(
    db: Session, token: str, *, issuer: str, keys: Keyring, now: datetime
) -> LiveToken | LiveRefreshToken | None:
    """Return what a text is, if it is a token of ours that may be used now."""
    live = check_access_token(db, token, issuer=issuer, keys=keys, now=now)
    if isinstance(live, LiveToken):
        return live
    row = fetch_one(db, _FIND, {"digest": digest(token), "now": now})
    if row is None or row.rotated_at is not None or row.token_expires_at <= now:
        return None
    if find_void(row, now=now) is not None:
        return None
    return LiveRefreshToken(read_family(row), row.token_expires_at)
