"""Access tokens: signed, short, and dead at once when what stands behind them ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.keys import load_keys, open_own_token
from idp.domain.grants.standing import Family, Void, find_void, read_family, select_standing
from idp.model.clients import Client, ClientStatus
from idp.model.grants import DeniedToken, TokenFamily
from idp.protocol import access_token
from idp.protocol.jwt_claims import is_current, number_of

_DENIED = exists().where(DeniedToken.jti == bindparam("jti"))
_OF_PERSON = (
    select_standing()
    .add_columns(
        _DENIED.label("denied"), (Client.status == ClientStatus.ACTIVE).label("client_active")
    )
    .join(Client, TokenFamily.client_id == Client.id)
    .where(TokenFamily.id == bindparam("family"))
)
_OF_CLIENT = select(_DENIED.label("denied"), literal(value=True).label("client_active")).where(
    Client.id == bindparam("client"), Client.status == ClientStatus.ACTIVE
)


class TokenRefusal(StrEnum):
    """Why an access token is not accepted. For the log: callers hear `invalid_token`."""

    NOT_OURS = "token_not_ours"
    WRONG_KIND = "token_wrong_kind"
    NOT_CURRENT = "token_not_current"
    DENIED = "token_denied"
    UNKNOWN = "token_unknown"
    CLIENT = "token_client_disabled"


@dataclass(frozen=True)
class LiveToken:
    """An access token that may be used now. Without a family it is a client's own."""

    client_id: str
    subject: str
    audience: tuple[str, ...]
    scope: str
    jti: str
    issued_at: int
    expires_at: int
    family: Family | None


def check_access_token(
    db: Session, token: str, *, issuer: str, keys: Keyring, now: datetime
) -> LiveToken | TokenRefusal | Void:
    """Answer "may this still be used?": one signature, one query.

    The kind is checked by `typ` (RFC 9068 §4): an ID token or a logout token is none.
    """
    opened = open_own_token(token, load_keys(db, keys=keys, now=now))
    if opened is None:
        return TokenRefusal.NOT_OURS
    if opened.header.get("typ") != access_token.TYPE or opened.claims.get("iss") != issuer:
        return TokenRefusal.WRONG_KIND
    # Our own clock made the token, so there is no leeway to give.
    if not is_current(opened.claims, now=now, leeway=timedelta()):
        return TokenRefusal.NOT_CURRENT
    return _look_up(db, dict(opened.claims), now=now)


def _look_up(
    db: Session, claims: dict[str, Any], *, now: datetime
) -> LiveToken | TokenRefusal | Void:
    jti = str(claims["jti"])
    row: Any
    family_id = access_token.family_of_jti(jti)
    if family_id is None:
        row = db.execute(_OF_CLIENT, {"jti": jti, "client": claims["client_id"]}).one_or_none()
    else:
        row = db.execute(_OF_PERSON, {"jti": jti, "family": family_id, "now": now}).one_or_none()
    refusal = _find_refusal(row)
    if refusal is not None:
        return refusal
    assert row is not None  # _find_refusal refuses a missing one
    void = None if family_id is None else find_void(row, now=now)
    if void is not None:
        return void
    return _build(claims, None if family_id is None else read_family(row))


def _find_refusal(row: Any) -> TokenRefusal | None:  # noqa: ANN401
    if row is None:
        return TokenRefusal.UNKNOWN
    if row.denied:
        return TokenRefusal.DENIED
    return None if row.client_active else TokenRefusal.CLIENT


def _build(claims: dict[str, Any], family: Family | None) -> LiveToken:
    audience = claims["aud"]
    return LiveToken(
        client_id=claims["client_id"],
        subject=claims["sub"],
        audience=(audience,) if isinstance(audience, str) else tuple(audience),
        scope=claims["scope"],
        jti=claims["jti"],
        issued_at=int(number_of(claims, "iat") or 0),
        expires_at=int(number_of(claims, "exp") or 0),
        family=family,
    )


def deny_token(db: Session, token: LiveToken) -> None:
    """Make one access token useless before its end (RFC 7009 §2). Doing it twice is harmless."""
    ends = datetime.fromtimestamp(token.expires_at, tz=UTC)
    try:
        with db.begin_nested():
            db.execute(insert(DeniedToken).values(jti=token.jti, expires_at=ends))
    except IntegrityError:
        return


def family_of(token: LiveToken) -> UUID | None:
    """Return the authorization a token came from."""
    return None if token.family is None else token.family.id
