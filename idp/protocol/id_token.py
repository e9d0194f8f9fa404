"""The ID token: who signed in, how and when, for one client (OIDC Core §2)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.base.secret import to_base64url
from idp.protocol.claims import PROTOCOL_CLAIMS

_HALF_HASHES = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "EdDSA": "sha512"}


@dataclass(frozen=True, kw_only=True)
class IdTokenFacts:
    """What an ID token says."""

    issuer: str
    client_id: str
    subject: str
    session: str | None
    acr: str
    amr: tuple[str, ...]
    authenticated_at: datetime
    nonce: str | None
    #: Half a hash of the request's `state` (FAPI 1.0 Part 2 §5.2.2.1).
    state_hash: str | None
    lifetime: timedelta
    #: Claims about the person that were asked for by name.
    claims: Mapping[str, object]


def build_id_token(
    facts: IdTokenFacts, *, access_token: str, alg: str, now: datetime
) -> dict[str, object]:
    """Return the claims of the ID token.

    The claims of the protocol come last, so that nothing about a person can replace them
    (trap T14). `nonce` and `s_hash` are there only if a nonce and a state were sent (OIDC Core
    §3.1.3.6), `aud` is one text.
    """
    token = {name: value for name, value in facts.claims.items() if name not in PROTOCOL_CLAIMS}
    token |= {
        "iss": facts.issuer,
        "sub": facts.subject,
        "aud": facts.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + facts.lifetime).timestamp()),
        "auth_time": int(facts.authenticated_at.timestamp()),
        "acr": facts.acr,
        "amr": list(facts.amr),
        "at_hash": half_hash(access_token, alg=alg),
    }
    if facts.session is not None:
        token["sid"] = facts.session
    if facts.nonce is not None:
        token["nonce"] = facts.nonce
    if facts.state_hash is not None:
        token["s_hash"] = facts.state_hash
    return token


def half_hash(text: str, *, alg: str) -> str:
    """Return the left half of a hash, for `at_hash` and its like (OIDC Core §3.1.3.6)."""
    value = hashlib.new(_HALF_HASHES[alg], text.encode()).digest()
    return to_base64url(value[: len(value) // 2])
