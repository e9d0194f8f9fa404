"""The keys that sign: loaded once a process, chosen by algorithm, never a random one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import from_base64url
from idp.db.cache import cache_behind, cache_of
from idp.db.errors import UNAVAILABLE
from idp.db.session import Sessions, reading
from idp.domain.grants.jose import REGISTRIES
from idp.model.grants import KeyState, SigningKey

#: How long a process may go on with the keys it has read: a removed key is refused by then.
FRESH_FOR = timedelta(seconds=1)
#: The same for the documents that clients keep for an hour anyway.
PUBLISHED_FRESH_FOR = timedelta(seconds=30)
#: States whose keys are published and verify.
_PUBLISHED = (KeyState.PUBLISHED, KeyState.ACTIVE, KeyState.RETIRED)
_MAX_TOKEN = 16_384
_MAX_HEADER = 1_024

Key = RSAKey | ECKey | OKPKey


@dataclass(frozen=True)
class LoadedKey:
    """A key ready for use."""

    kid: str
    alg: str
    state: KeyState
    key: Key
    public_jwk: Mapping[str, object]


@dataclass(frozen=True)
class LoadedKeys:
    """Every key of ours that is not removed, as read at one moment."""

    by_kid: Mapping[str, LoadedKey]
    read_at: datetime

    def signer(self, alg: str) -> LoadedKey:
        """Return the one key that signs with this algorithm now.

        Raises:
            KeyError: there is none; `idp keys ensure` makes it.
        """
        for each in self.by_kid.values():
            if each.alg == alg and each.state is KeyState.ACTIVE:
                return each
        raise KeyError(f"no active key for {alg}: run `idp keys ensure`")

    def algorithms(self) -> tuple[str, ...]:
        """Return the algorithms that a key signs with."""
        active = {each.alg for each in self.by_kid.values() if each.state is KeyState.ACTIVE}
        return tuple(sorted(active))

    def jwks(self) -> dict[str, object]:
        """Return the public key set, newest last (RFC 7517 §5)."""
        return {"keys": [dict(each.public_jwk) for each in self.by_kid.values()]}

    @cached_property
    def jwks_text(self) -> str:
        """The public key set as it is published: written once."""
        return json.dumps(self.jwks())


class _Holder:
    """The keys that one process has read."""

    def __init__(self) -> None:
        self.keys: LoadedKeys | None = None


def load_keys(db: Session, *, keys: Keyring, now: datetime) -> LoadedKeys:
    """Return the keys, read again at most once a second; private halves are opened once."""
    holder = cache_of(db, _Holder)
    known = holder.keys
    if known is not None and timedelta() <= now - known.read_at < FRESH_FOR:
        return known
    rows = db.scalars(
        select(SigningKey)
        .where(SigningKey.state.in_(_PUBLISHED))
        .order_by(SigningKey.created_at, SigningKey.kid)
    )
    loaded = {row.kid: _load(row, known, keys=keys) for row in rows}
    holder.keys = LoadedKeys(by_kid=MappingProxyType(loaded), read_at=now)
    return holder.keys


def published_keys(sessions: Sessions, *, keys: Keyring, now: datetime) -> LoadedKeys:
    """Return the keys for what we publish; they outlive a database that is gone (FT-01).

    A key is published long before it signs, so a copy of half a minute is good enough here.
    """
    known = cache_behind(sessions, _Holder).keys
    if known is not None and timedelta() <= now - known.read_at < PUBLISHED_FRESH_FOR:
        return known
    try:
        with reading(sessions) as fresh:
            return load_keys(fresh, keys=keys, now=now)
    except UNAVAILABLE:
        if known is None:
            raise
        return known


def forget_loaded_keys(db: Session) -> None:
    """Make this process read the keys again: called after a change."""
    cache_of(db, _Holder).keys = None


def _load(row: SigningKey, known: LoadedKeys | None, *, keys: Keyring) -> LoadedKey:
    loaded = known.by_kid.get(row.kid) if known is not None else None
    assert row.sealed_private is not None  # only removed keys lose theirs
    key = loaded.key if loaded else _open(row.kid, row.alg, row.sealed_private, keys=keys)
    return LoadedKey(row.kid, row.alg, row.state, key, MappingProxyType(dict(row.public_jwk)))


def _open(kid: str, alg: str, sealed: bytes, *, keys: Keyring) -> Key:
    # The seal is authenticated: what opens is what we made, so the costly check of an RSA
    # key's primes (30 to 200 ms) proves nothing.
    private = load_der_private_key(
        keys.sealer.unseal(sealed, context=key_context(kid)),
        password=None,
        unsafe_skip_rsa_key_validation=True,
    )
    return wrap_key(private, kid=kid, alg=alg)


def wrap_key(private: object, *, kid: str, alg: str) -> Key:
    """Return a private key in the form that signs, bound to its algorithm."""
    parameters: KeyParameters = {"kid": kid, "alg": alg, "use": "sig"}
    match private:
        case RSAPrivateKey():
            return RSAKey(private, private, parameters)
        case EllipticCurvePrivateKey():
            return ECKey(private, private, parameters)
        case Ed25519PrivateKey():
            return OKPKey(private, private, parameters)
        case _:
            raise TypeError(f"no key for {alg}")


def key_context(kid: str) -> str:
    """Return what the private half is sealed for."""
    return f"signing_key:{kid}"


def sign(claims: dict[str, object], signer: LoadedKey, *, kind: str = "JWT") -> str:
    """Sign claims with one key, named in the header, as a token of one kind (RFC 8725 §3.11)."""
    header = {"alg": signer.alg, "kid": signer.kid, "typ": kind}
    return jwt.encode(header, claims, signer.key, registry=REGISTRIES[signer.alg])


@dataclass(frozen=True)
class OwnToken:
    """A token that one of our keys has signed. Its claims still have to be judged."""

    header: Mapping[str, object]
    claims: Mapping[str, object]


def open_own_token(token: str, loaded: LoadedKeys) -> OwnToken | None:
    """Return a token of ours, or None: not signed by a key that is published now.

    The key is found by `kid` alone and decides the algorithm; a key or an address in the
    header is never looked at (JW-01 to JW-06). The algorithm is the library's; around it every
    part is read once.
    """
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    header = _read_header(token, head, body)
    signer = None if header is None else loaded.by_kid.get(str(header["kid"]))
    if header is None or signer is None or header.get("alg") != signer.alg:
        return None
    algorithm = REGISTRIES[signer.alg].get_alg(signer.alg)
    try:
        if not algorithm.verify(signed.encode("ascii"), from_base64url(signature), signer.key):
            return None
        claims = json.loads(from_base64url(body))
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    return OwnToken(header, claims) if isinstance(claims, dict) else None


def _read_header(token: str, head: str, body: str) -> dict[str, Any] | None:
    """Return the header of three parts of ASCII, small enough to be read, with a `kid`."""
    if len(token) > _MAX_TOKEN or len(head) > _MAX_HEADER or not token.isascii():
        return None
    if not head or "." in body:
        return None
    try:
        header = json.loads(from_base64url(head))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or "crit" in header or not isinstance(header.get("kid"), str):
        return None
    return header
