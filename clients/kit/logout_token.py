"""Logout tokens of the provider (OpenID Connect Back-Channel Logout 1.0): check, then use once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from clients.kit.clock import to_text
from clients.kit.secret import digest

EVENT = "http://schemas.openid.net/event/backchannel-logout"
#: Signatures only the provider can make: no `none`, nothing with our own secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519")
_LEEWAY = timedelta(seconds=60)

#: Fetches the provider's keys; True asks for them anew.
FetchKeys = Callable[[bool], KeySet]


class LogoutTokenError(Exception):
    """A logout token that is refused; the argument is a stable reason for the log."""


@dataclass(frozen=True)
class LogoutNotice:
    """Whose sessions have ended: the session `sid`, or all of `sub`, or both named."""

    jti: str
    sid: str | None
    sub: str | None
    expires_at: datetime


def check_logout_token(
    token: str, fetch_keys: FetchKeys, *, issuer: str, client_id: str, now: datetime
) -> LogoutNotice:
    """Check a logout token, step by step as Back-Channel Logout §2.6 lists them.

    Raises:
        LogoutTokenError: signature, typ, iss, aud, iat, exp, events, nonce, sid_and_sub, jti.
    """
    header, claims = _verified(token, fetch_keys)
    if str(header.get("typ", "")).lower().removeprefix("application/") != "logout+jwt":
        raise LogoutTokenError("typ")
    if claims.get("iss") != issuer:
        raise LogoutTokenError("iss")
    audience = claims.get("aud")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise LogoutTokenError("aud")
    if _moment(claims, "iat") > now + _LEEWAY:
        raise LogoutTokenError("iat")
    expires_at = _moment(claims, "exp")
    if expires_at <= now - _LEEWAY:
        raise LogoutTokenError("exp")
    _check_events(claims)
    sid, sub, jti = (_text(claims, name) for name in ("sid", "sub", "jti"))
    if sid is None and sub is None:
        raise LogoutTokenError("sid_and_sub")
    if jti is None:
        raise LogoutTokenError("jti")
    return LogoutNotice(jti=jti, sid=sid, sub=sub, expires_at=expires_at)


def claim_logout_token(db: Connection, notice: LogoutNotice, *, now: datetime) -> bool:
    """Remember a token; tell whether it was new. The primary key is the lock."""
    inserted = db.execute(
        "INSERT INTO logout_token (jti_digest, sid, sub, received_at, kept_until)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            digest(notice.jti),
            notice.sid,
            notice.sub,
            to_text(now),
            to_text(max(notice.expires_at, now) + 2 * _LEEWAY),
        ),
    )
    return inserted.rowcount == 1


def forget_old_logout_tokens(db: Connection, *, now: datetime) -> None:
    """Delete the tokens that have expired anyway."""
    db.execute("DELETE FROM logout_token WHERE kept_until <= ?", (to_text(now),))


def _verified(token: str, fetch_keys: FetchKeys) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    try:
        try:
            decoded = jwt.decode(token, fetch_keys(False), registry=registry)  # noqa: FBT003
        except InvalidKeyIdError:
            decoded = jwt.decode(token, fetch_keys(True), registry=registry)  # noqa: FBT003
    except (JoseError, ValueError):
        raise LogoutTokenError("signature") from None
    return decoded.header, decoded.claims


def _check_events(claims: Mapping[str, Any]) -> None:
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise LogoutTokenError("events")
    if "nonce" in claims:
        raise LogoutTokenError("nonce")


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LogoutTokenError(name)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        raise LogoutTokenError(name) from None


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise LogoutTokenError(name)
    return value
