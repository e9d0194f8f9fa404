"""Client assertions: a client proves itself with a signature, once (RFC 7523 §3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.client_signatures import (
    ClientToken,
    open_client_token,
    open_with_secret,
    peek,
)
from idp.domain.grants.replay import spend_once
from idp.protocol.client import RegisteredClient
from idp.protocol.jwk import ASSERTION_ALGORITHMS, FAPI_ALGORITHMS
from idp.protocol.jwt_claims import LEEWAY, is_current, number_of

#: An assertion may not be good for longer: its `jti` is remembered until then.
LONGEST_LIFE = timedelta(minutes=10)
_MAX_JTI = 256
#: Types an assertion may say it has; another token of the client is none (RFC 8725 §3.11).
_TYPES = frozenset({None, "JWT", "client-authentication+jwt"})


class AssertionRefusal(StrEnum):
    """Why an assertion was refused. For the log: the client hears `invalid_client`."""

    SIGNATURE = "assertion_signature"
    CLAIMS = "assertion_claims"
    AUDIENCE = "assertion_audience"
    TIME = "assertion_time"
    REPLAYED = "assertion_replayed"


@dataclass(frozen=True)
class AssertionRules:
    """What an assertion is judged by: whom it may be for, and where the keys are."""

    audiences: frozenset[str]
    client_keys: ClientKeys
    keys: Keyring


def claimed_client_id(assertion: str) -> str | None:
    """Return whom an assertion names, before anything is verified: only to find its keys."""
    claims = peek(assertion, 1)
    issuer = None if claims is None else claims.get("iss")
    return issuer if isinstance(issuer, str) else None


def verify_assertion(
    db: Session,
    assertion: str,
    client: RegisteredClient,
    *,
    rules: AssertionRules,
    now: datetime,
) -> AssertionRefusal | None:
    """Return None if the assertion is the client's, for us, current and new.

    The audience is one text: our issuer, and the token endpoint only for clients registered
    with that switch (house decision). The `jti` is spent by an insert, so of many at once
    one wins (CA-05).

    Raises:
        KeysWanted: the client publishes its keys, and they have to be fetched first.
    """
    opened = _open(assertion, client, rules, now=now)
    if opened is None or opened.header.get("typ") not in _TYPES:
        return AssertionRefusal.SIGNATURE
    claims = opened.claims
    jti = claims.get("jti")
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        return AssertionRefusal.CLAIMS
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        return AssertionRefusal.CLAIMS
    audience = claims.get("aud")
    if not isinstance(audience, str) or audience not in rules.audiences:
        return AssertionRefusal.AUDIENCE
    ends = _end(claims, now=now)
    if ends is None:
        return AssertionRefusal.TIME
    is_new = spend_once(db, f"assertion\0{client.client_id}\0{jti}", until=ends + LEEWAY)
    return None if is_new else AssertionRefusal.REPLAYED


def _open(
    assertion: str, client: RegisteredClient, rules: AssertionRules, *, now: datetime
) -> ClientToken | None:
    """Verify the signature by the registered method: its keys, or its secret (JW-02)."""
    if client.signs_with_secret:
        return open_with_secret(assertion, client, keys=rules.keys, now=now)
    wanted = client.token_endpoint_auth_signing_alg
    allowed = FAPI_ALGORITHMS if client.is_fapi else ASSERTION_ALGORITHMS
    return open_client_token(
        assertion,
        client,
        algorithms=tuple(alg for alg in allowed if wanted in (None, alg)),
        client_keys=rules.client_keys,
        now=now,
    )


def _end(claims: Mapping[str, object], *, now: datetime) -> datetime | None:
    """Return when an assertion that is current ends; None if it is not, or for too long."""
    ends = number_of(claims, "exp")
    if ends is None or not is_current(claims, now=now):
        return None
    if ends > (now + LONGEST_LIFE).timestamp():
        return None
    return datetime.fromtimestamp(ends, tz=UTC)
