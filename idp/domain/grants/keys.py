"""The keys that sign: loaded once a process, chosen by algorithm, never a random one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from time import monotonic
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.db.cache import cache_behind, cache_of
from idp.db.errors import UNAVAILABLE
from idp.db.session import Sessions, reading
from idp.model.grants import KeyState, SigningKey

#: How long a process may go on with the keys it has read: a removed key is refused by then.
FRESH_FOR = timedelta(seconds=1)
#: The same for the documents that clients keep for an hour anyway.
PUBLISHED_FRESH_FOR = timedelta(seconds=30)
#: For how long a database that did not answer is not asked again for them.
REST_SECONDS = 5.0
#: States whose keys are published and verify.
_PUBLISHED = (KeyState.PUBLISHED, KeyState.ACTIVE, KeyState.RETIRED)

Key = RSAKey | ECKey | OKPKey


class CheckedSignatures:
    """What the last tokens said whose signatures were checked, by the digest of the whole token.

    The same bytes are signed by the same key every time, and a service that is called ten times
    asks ten times about one token. Nothing else is answered from here: whether the key is still
    published, the token current and its authorization standing is asked anew (KT-03, RT-08).
    Tokens themselves are not kept, so none can be read out of a process that has ended.
    """

    def __init__(self, most: int = 1_024) -> None:
        self._most = most
        self._known: dict[bytes, tuple[Key, object]] = {}
        self._lock = Lock()

    def find(self, place: bytes) -> tuple[Key, object] | None:
        """Return the key that was used, and what the token said."""
        return self._known.get(place)

    def keep(self, place: bytes, verifier: Key, said: object) -> None:
        """Remember a token that was right; the oldest goes when there are too many."""
        with self._lock:
            while len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[place] = (verifier, said)


@dataclass(frozen=True)
class LoadedKey:
    """A key ready for use."""

    kid: str
    alg: str
    state: KeyState
    key: Key
    public_jwk: Mapping[str, object]
    #: The public half by itself: OpenSSL prepares it once, not for every signature it checks.
    verifier: Key


@dataclass(frozen=True)
class LoadedKeys:
    """Every key of ours that is not removed, as read at one moment."""

    by_kid: Mapping[str, LoadedKey]
    read_at: datetime
    #: Signatures that were checked with them; goes on when they are read again.
    checked: CheckedSignatures = field(default_factory=CheckedSignatures)

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
        #: When the database was last asked in vain, on the clock that only runs.
        self.failed_at: float | None = None
        self._lock = Lock()

    def take_over(self, read: Mapping[str, LoadedKey], *, now: datetime) -> LoadedKeys:
        """Hold what was read. A key that another thread has opened meanwhile stays its object."""
        with self._lock:
            present = self.keys
            known = {} if present is None else present.by_kid
            same = {
                kid: replace(known.get(kid, each), state=each.state) for kid, each in read.items()
            }
            checked = CheckedSignatures() if present is None else present.checked
            self.keys = LoadedKeys(MappingProxyType(same), read_at=now, checked=checked)
            return self.keys


def load_keys(db: Session, *, keys: Keyring, now: datetime) -> LoadedKeys:
    """Return the keys, read again at most once a second; private halves are opened once."""
    holder = cache_of(db, _Holder)
    known = holder.keys
    if known is not None and _is_within(FRESH_FOR, known.read_at, now=now):
        return known
    rows = db.scalars(
        select(SigningKey)
        .where(SigningKey.state.in_(_PUBLISHED))
        .order_by(SigningKey.created_at, SigningKey.kid)
    )
    return holder.take_over({row.kid: _load(row, known, keys=keys) for row in rows}, now=now)


def published_keys(sessions: Sessions, *, keys: Keyring, now: datetime) -> LoadedKeys:
    """Return the keys for what we publish; they outlive a database that is gone (FT-01).

    A key is published long before it signs, so a copy of half a minute is good enough here, and
    a database that has just kept somebody waiting is left alone for some seconds (FT-02).
    """
    holder = cache_behind(sessions, _Holder)
    known = holder.keys
    if known is not None and (
        _is_within(PUBLISHED_FRESH_FOR, known.read_at, now=now)
        or (holder.failed_at is not None and monotonic() - holder.failed_at < REST_SECONDS)
    ):
        return known
    try:
        with reading(sessions) as fresh:
            return load_keys(fresh, keys=keys, now=now)
    except UNAVAILABLE:
        # By now it has kept us waiting, perhaps for seconds.
        holder.failed_at = monotonic()
        if known is None:
            raise
        return known


def _is_within(lifetime: timedelta, moment: datetime, *, now: datetime) -> bool:
    return timedelta() <= now - moment < lifetime


def forget_loaded_keys(db: Session) -> None:
    """Make this process read the keys again: called after a change."""
    cache_of(db, _Holder).keys = None


def _load(row: SigningKey, known: LoadedKeys | None, *, keys: Keyring) -> LoadedKey:
    loaded = known.by_kid.get(row.kid) if known is not None else None
    assert row.sealed_private is not None  # only removed keys lose theirs
    if loaded is not None:
        return replace(loaded, state=row.state)
    key = _open(row.kid, row.alg, row.sealed_private, keys=keys)
    return LoadedKey(
        kid=row.kid,
        alg=row.alg,
        state=row.state,
        key=key,
        public_jwk=MappingProxyType(dict(row.public_jwk)),
        verifier=_public_half(key),
    )


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


def _public_half(key: Key) -> Key:
    public = key.public_key
    return type(key)(public, public, {})  # type: ignore[arg-type]


def key_context(kid: str) -> str:
    """Return what the private half is sealed for."""
    return f"signing_key:{kid}"
