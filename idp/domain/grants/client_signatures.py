"""Tokens that clients sign themselves: assertions and request objects (RFC 7523, RFC 9101)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from idp.base.keyring import Keyring
from idp.base.secret import from_base64url
from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.jose import REGISTRIES
from idp.protocol.claims import is_shallow
from idp.protocol.client import RegisteredClient
from idp.protocol.jwk import SECRET_ALGORITHM, Jwk, signature_keys

_MAX_HEADER = 1_024
_KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = MappingProxyType(
    {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
)

VerifyingKey = RSAKey | ECKey | OKPKey | OctKey


@dataclass(frozen=True)
class ClientToken:
    """A token whose signature is the client's. Its claims still have to be judged."""

    header: Mapping[str, object]
    claims: Mapping[str, object]


def open_client_token(
    text: str,
    client: RegisteredClient,
    *,
    algorithms: tuple[str, ...],
    client_keys: ClientKeys,
    now: datetime,
) -> ClientToken | None:
    """Return a token that one of the client's keys has signed, or None.

    The keys are the registered or published ones alone; a key or an address in the header is
    never looked at (JW-03). If none fits, newer ones are asked for.

    Raises:
        KeysWanted: the client publishes its keys, and they have to be fetched first.
    """
    header = peek(text, 0)
    alg = _algorithm(header, algorithms)
    if header is None or alg is None:
        return None
    known = client_keys.of(client, now=now)
    for jwk in signature_keys(known, alg=alg, kid=header.get("kid")):
        opened = _open(text, import_public_key(jwk), alg)
        if opened is not None:
            return opened
    client_keys.look_again(client, now=now)
    return None


def open_with_secret(
    text: str, client: RegisteredClient, *, keys: Keyring, now: datetime
) -> ClientToken | None:
    """Return a token that is signed with one of the client's secrets (client_secret_jwt)."""
    header = peek(text, 0)
    if header is None or _algorithm(header, (SECRET_ALGORITHM,)) is None:
        return None
    for secret in client.secrets:
        if secret.sealed is None or not secret.is_valid(now=now):
            continue
        clear = keys.sealer.unseal(secret.sealed, context=secret_context(client.client_id))
        opened = _open(text, OctKey.import_key(clear), SECRET_ALGORITHM)
        if opened is not None:
            return opened
    return None


def secret_context(client_id: str) -> str:
    """Return what a client's secret is sealed for."""
    return f"client_secret:{client_id}"


def import_public_key(jwk: Jwk) -> RSAKey | ECKey | OKPKey | None:
    """Return a public key in the form that verifies; None for a point that is on no curve."""
    plain = {name: value for name, value in jwk.items() if name not in ("alg", "key_ops")}
    try:
        return _KINDS[str(jwk["kty"])].import_key(plain)  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError):
        return None


def _algorithm(header: Mapping[str, object] | None, allowed: tuple[str, ...]) -> str | None:
    """Return the algorithm if it is allowed and nothing critical stands in the header."""
    if header is None or "crit" in header:
        return None
    alg = header.get("alg")
    return alg if isinstance(alg, str) and alg in allowed else None


def _open(text: str, key: VerifyingKey | None, alg: str) -> ClientToken | None:
    if key is None:
        return None
    try:
        opened = jwt.decode(text, key, registry=REGISTRIES[alg])
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    return ClientToken(MappingProxyType(opened.header), MappingProxyType(opened.claims))


def peek(token: str, place: int) -> dict[str, object] | None:
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
