"""Access tokens: signed, short, and dead at once when what stands behind them ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.db.rows import FoundRow, fetch_one
from idp.domain.grants.keys import load_keys
from idp.domain.grants.own_tokens import open_own_token
from idp.domain.grants.standing import Family, Void, find_void, read_family, select_standing
from idp.model.clients import Client, ClientStatus
from idp.model.grants import DeniedToken, TokenFamily
from idp.protocol import access_token
from idp.protocol.jwt_claims import is_current, number_of

_family: Any = TokenFamily.__table__
_client: Any = Client.__table__
_caller: Any = _client.alias("caller")
_denied: Any = DeniedToken.__table__

#: The version of the client that asks about a token, if one is named and may be used.
_CALLER_VERSION = (
    select(_caller.c.version)
    .where(_caller.c.id == bindparam("caller"), _caller.c.status == ClientStatus.ACTIVE)
    .scalar_subquery()
    .label("caller_version")
)
_DENIED = exists(select(1).select_from(_denied).where(_denied.c.jti == bindparam("jti")))
_OF_PERSON = (
    select_standing()
    .add_columns(
        _DENIED.label("denied"),
        _client.c.status.label("client_status"),
        _client.c.version.label("client_version"),
        _CALLER_VERSION,
    )
    # Not the client of the family: a token may have been exchanged by another one.
    .join(_client, _client.c.id == bindparam("client"))
    .where(_family.c.id == bindparam("family"))
)
_OF_CLIENT = select(
    _DENIED.label("denied"),
    _client.c.status.label("client_status"),
    _client.c.version.label("client_version"),
    _CALLER_VERSION,
).where(_client.c.id == bindparam("client"))


#: How far the clocks of two of our machines may differ (KT-04).
CLOCK_SKEW = timedelta(seconds=60)


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
    #: Tells whether the cached client is the present one.
    client_version: int
    subject: str
    audience: tuple[str, ...]
    scope: str
    jti: str
    issued_at: int
    expires_at: int
    family: Family | None
    #: It says for which household its client acts (RFC 9396).
    has_details: bool = False
    #: The key it is bound to: without it, it is worth nothing (RFC 9449 §6).
    key: str | None = None
    #: The household it is about, as its audience knows it.
    household: str | None = None
    #: The present version of the client that asked, if it was named and may be used.
    caller_version: int | None = None


def check_access_token(
    db: Session,
    token: str,
    *,
    issuer: str,
    keys: Keyring,
    now: datetime,
    caller: str | None = None,
) -> LiveToken | TokenRefusal | Void:
    """Answer "may this still be used?": one signature, one query.

    The kind is checked by `typ` (RFC 9068 §4): an ID token or a logout token is none.
    `caller` is the client that asks, whose version comes with the answer.
    """
    opened = open_own_token(token, load_keys(db, keys=keys, now=now))
    if opened is None:
        return TokenRefusal.NOT_OURS
    if opened.header.get("typ") != access_token.TYPE or opened.claims.get("iss") != issuer:
        return TokenRefusal.WRONG_KIND
    # Clocks of our machines differ: a token may look young, but it never lives longer.
    if not is_current(opened.claims, now=now, late=timedelta(), early=CLOCK_SKEW):
        return TokenRefusal.NOT_CURRENT
    return _look_up(db, dict(opened.claims), caller, now=now)


def _look_up(
    db: Session, claims: dict[str, Any], caller: str | None, *, now: datetime
) -> LiveToken | TokenRefusal | Void:
    jti = str(claims["jti"])
    family_id = access_token.family_of_jti(jti)
    token = {"jti": jti, "client": claims["client_id"], "caller": caller}
    if family_id is None:
        row = fetch_one(db, _OF_CLIENT, token)
    else:
        row = fetch_one(db, _OF_PERSON, token | {"family": family_id, "now": now})
    refusal = _find_refusal(row)
    if refusal is not None:
        return refusal
    assert row is not None  # _find_refusal refuses a missing one
    void = None if family_id is None else find_void(row, now=now)
    if void is not None:
        return void
    return _build(claims, row, None if family_id is None else read_family(row))


def _find_refusal(row: Any) -> TokenRefusal | None:  # noqa: ANN401
    if row is None:
        return TokenRefusal.UNKNOWN
    if row.denied:
        return TokenRefusal.DENIED
    return None if row.client_status == ClientStatus.ACTIVE else TokenRefusal.CLIENT


def _build(claims: dict[str, Any], row: FoundRow, family: Family | None) -> LiveToken:
    audience = claims["aud"]
    return LiveToken(
        client_id=claims["client_id"],
        client_version=row.client_version,
        subject=claims["sub"],
        audience=tuple(audience) if isinstance(audience, list) else (str(audience),),
        scope=claims["scope"],
        jti=claims["jti"],
        issued_at=int(number_of(claims, "iat") or 0),
        expires_at=int(number_of(claims, "exp") or 0),
        family=family,
        has_details="authorization_details" in claims,
        key=access_token.key_of(claims),
        household=claims.get("household_id"),
        caller_version=row.caller_version,
    )


def deny_token(db: Session, token: LiveToken) -> None:
    """Make one access token useless before its end (RFC 7009 §2). Doing it twice is harmless."""
    ends = datetime.fromtimestamp(token.expires_at, tz=UTC)
    try:
        with db.begin_nested():
            db.execute(insert(DeniedToken).values(jti=token.jti, expires_at=ends))
    except IntegrityError:
        return
