"""Client assertions: a client proves itself with a signature, once (RFC 7523 §3)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.secret import digest, from_base64url
from idp.domain.grants.jose import REGISTRIES
from idp.model.grants import ReplayMark
from idp.protocol.claims import is_shallow
from idp.protocol.client import RegisteredClient
from idp.protocol.jwk import ASSERTION_ALGORITHMS
from idp.protocol.jwt_claims import LEEWAY, is_current, number_of

#: An assertion may not be good for longer: its `jti` is remembered until then.
LONGEST_LIFE = timedelta(minutes=10)
_MAX_HEADER = 1_024
_MAX_JTI = 256
_KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
_KIND_OF_ALGORITHM = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class AssertionRefusal(StrEnum):
    """Why an assertion was refused. For the log: the client hears `invalid_client`."""

    SIGNATURE = "assertion_signature"
    CLAIMS = "assertion_claims"
    AUDIENCE = "assertion_audience"
    TIME = "assertion_time"
    REPLAYED = "assertion_replayed"


def claimed_client_id(assertion: str) -> str | None:
    """Return whom an assertion names, before anything is verified: only to find its keys."""
    claims = _peek(assertion, 1)
    issuer = None if claims is None else claims.get("iss")
    return issuer if isinstance(issuer, str) else None


def verify_assertion(
    db: Session,
    assertion: str,
    client: RegisteredClient,
    *,
    audiences: frozenset[str],
    now: datetime,
) -> AssertionRefusal | None:
    """Return None if the assertion is the client's, for us, current and new.

    The audience is one text: our issuer, and the token endpoint only for clients registered
    with that switch (house decision). The `jti` is spent by an insert, so of many at once
    one wins (CA-05).
    """
    claims = _open(assertion, client)
    if claims is None:
        return AssertionRefusal.SIGNATURE
    jti = claims.get("jti")
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        return AssertionRefusal.CLAIMS
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        return AssertionRefusal.CLAIMS
    audience = claims.get("aud")
    if not isinstance(audience, str) or audience not in audiences:
        return AssertionRefusal.AUDIENCE
    ends = number_of(claims, "exp")
    if ends is None or not is_current(claims, now=now):
        return AssertionRefusal.TIME
    if ends > (now + LONGEST_LIFE).timestamp():
        return AssertionRefusal.TIME
    return _spend(db, client.client_id, jti, ends)


def _open(assertion: str, client: RegisteredClient) -> Mapping[str, object] | None:
    """Verify the signature with the client's registered keys, tried one by one."""
    header = _peek(assertion, 0)
    if header is None or "crit" in header:
        return None
    alg = header.get("alg")
    wanted = client.token_endpoint_auth_signing_alg
    if not isinstance(alg, str) or alg not in ASSERTION_ALGORITHMS or wanted not in (None, alg):
        return None
    for jwk in _candidates(client, kind=_KIND_OF_ALGORITHM[alg], kid=header.get("kid")):
        try:
            key = _KINDS[_KIND_OF_ALGORITHM[alg]].import_key(jwk)
            return jwt.decode(assertion, key, registry=REGISTRIES[alg]).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
    return None


def _candidates(
    client: RegisteredClient, *, kind: str, kid: object
) -> list[dict[str, str | list[str]]]:
    """Return the keys that may have signed: by `kid` if there is one, else all of the kind."""
    known = (client.jwks or {}).get("keys", [])
    assert isinstance(known, list)  # checked when it was registered
    return [
        {name: value for name, value in jwk.items() if name not in ("alg", "key_ops")}
        for jwk in known
        if jwk["kty"] == kind and (kid is None or jwk.get("kid") in (None, kid))
    ]


def _peek(token: str, place: int) -> dict[str, object] | None:
    """Read a part of a token without believing it; bounded before anything parses it."""
    parts = token.split(".")
    if len(parts) != 3 or len(parts[0]) > _MAX_HEADER or not token.isascii():
        return None
    try:
        text = from_base64url(parts[place]).decode("utf-8")
        content = json.loads(text) if is_shallow(text) else None
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _spend(db: Session, client_id: str, jti: str, ends: float) -> AssertionRefusal | None:
    mark = digest(f"assertion\0{client_id}\0{jti}")
    until = datetime.fromtimestamp(ends, tz=UTC) + LEEWAY
    try:
        with db.begin_nested():
            db.execute(insert(ReplayMark).values(key_digest=mark, expires_at=until))
    except IntegrityError:
        return AssertionRefusal.REPLAYED
    return None
