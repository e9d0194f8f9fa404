"""Access tokens: their claims (RFC 9068 §2.2), and the identifier that leads to the grant."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from idp.base.secret import from_base64url, to_base64url

TYPE = "at+jwt"
ALGORITHM = "ES256"
_RANDOM_BYTES = 16
_UUID_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class AccessTokenFacts:
    """What an access token says. Without a person it is a client's own."""

    issuer: str
    audience: tuple[str, ...]
    client_id: str
    subject: str
    scope: str
    lifetime: timedelta
    family_id: UUID | None = None
    acr: str | None = None
    authenticated_at: datetime | None = None
    #: What the client may do for a household (RFC 9396 §9.1).
    details: tuple[Mapping[str, object], ...] = ()
    #: The thumbprint of the key that must be proved with it (RFC 9449 §6.1).
    key: str | None = None
    #: The household the person acts for, as the audience knows it.
    household: str | None = None


def new_jti(family_id: UUID | None) -> str:
    """Make the identifier of an access token: the grant it came from, and 128 random bits.

    With it one query finds out whether the token may still be used; no row is needed for it.
    """
    prefix = b"" if family_id is None else family_id.bytes
    return to_base64url(prefix + secrets.token_bytes(_RANDOM_BYTES))


def family_of_jti(jti: str) -> UUID | None:
    """Return the grant that an identifier of ours leads to, if it came from one."""
    try:
        raw = from_base64url(jti)
    except ValueError:
        return None
    if len(raw) != _UUID_BYTES + _RANDOM_BYTES:
        return None
    return UUID(bytes=raw[:_UUID_BYTES])


def build_access_token(facts: AccessTokenFacts, *, jti: str, now: datetime) -> dict[str, object]:
    """Return the claims of an access token (RFC 9068 §2.2)."""
    token: dict[str, object] = {
        "iss": facts.issuer,
        "sub": facts.subject,
        "aud": facts.audience[0] if len(facts.audience) == 1 else list(facts.audience),
        "client_id": facts.client_id,
        "scope": facts.scope,
        "jti": jti,
        "iat": int(now.timestamp()),
        "exp": int((now + facts.lifetime).timestamp()),
    }
    if facts.acr is not None and facts.authenticated_at is not None:
        token["acr"] = facts.acr
        token["auth_time"] = int(facts.authenticated_at.timestamp())
    if facts.household is not None:
        token["household_id"] = facts.household
    if facts.details:
        token["authorization_details"] = [dict(each) for each in facts.details]
    if facts.key is not None:
        token["cnf"] = {"jkt": facts.key}
    return token


def key_of(claims: Mapping[str, object]) -> str | None:
    """Return the key that a token is bound to, if it is."""
    confirmation = claims.get("cnf")
    if not isinstance(confirmation, dict):
        return None
    key = confirmation.get("jkt")
    return key if isinstance(key, str) else None
