"""Public keys of clients: what a key set may hold, and which key serves what (RFC 7517)."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from idp.base.secret import from_base64url, to_base64url

#: A public key in its own words.
Jwk = Mapping[str, object]

#: Algorithms of client assertions by key; never `none`.
ASSERTION_ALGORITHMS = ("PS256", "ES256", "EdDSA", "RS256")
#: The one for assertions signed with the client's secret (OIDC Core §9).
SECRET_ALGORITHM = "HS256"  # noqa: S105 - an algorithm
#: Algorithms that we can sign with, for a client that asks.
ID_TOKEN_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
#: What the FAPI 2.0 Security Profile §5.4.1 allows.
FAPI_ALGORITHMS = ("PS256", "ES256", "EdDSA")
#: Encryption to a client's key: key management, then content (RFC 7518); never RSA1_5 or SHA-1.
ENCRYPTION_ALGORITHMS = ("RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
ENCRYPTION_METHODS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,2000}")
_MAX_KEYS = 20
_MIN_RSA_BITS = 2_048
_CURVES = {"EC": frozenset({"P-256"}), "OKP": frozenset({"Ed25519"})}
_USES = ("sig", "enc")
_KIND_OF_ALGORITHM = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
#: What a thumbprint is made of, in this order (RFC 7638 §3.2, RFC 8037 §2).
_ESSENTIAL = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


def find_jwks_fault(content: Mapping[str, object]) -> str | None:
    """Return why a key set may not be registered, or None."""
    keys = content.get("keys")
    if set(content) != {"keys"} or not isinstance(keys, list) or not 0 < len(keys) <= _MAX_KEYS:
        return "keys_shape"
    for key in keys:
        fault = find_key_fault(key) if isinstance(key, dict) else "keys_shape"
        if fault is not None:
            return fault
    kids = [key["kid"] for key in keys if "kid" in key]
    if len(set(kids)) != len(kids):
        return "keys_kid"
    return None


def read_published_keys(content: Mapping[str, object]) -> tuple[Jwk, ...] | None:
    """Return the usable keys of a fetched key set; None if none of it can be trusted.

    RFC 7517 §5: what is not understood is passed over. A set that shows a private key or
    names two keys alike is worth nothing.
    """
    keys = content.get("keys")
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS:
        return None
    known = [key for key in keys if isinstance(key, dict)]
    if any(_PRIVATE & set(key) for key in known):
        return None
    usable = [key for key in known if find_key_fault(key) is None]
    return tuple(usable) if find_jwks_fault({"keys": usable}) is None else None


def find_key_fault(key: Jwk) -> str | None:
    """Return why a key may not be used, or None."""
    if _PRIVATE & set(key):
        return "keys_private"
    if not isinstance(key.get("kid", ""), str) or key.get("use", "sig") not in _USES:
        return "keys_shape"
    match key.get("kty"):
        case "RSA":
            return _find_rsa_fault(key)
        case "EC" | "OKP" as kind:
            wanted = ("x", "y") if kind == "EC" else ("x",)
            known = key.get("crv") in _CURVES[kind] and all(map(_is_number, map(key.get, wanted)))
            return None if known else "keys_curve"
        case _:
            return "keys_kind"


def _find_rsa_fault(key: Mapping[str, object]) -> str | None:
    modulus = key.get("n")
    if not _is_number(modulus) or not _is_number(key.get("e")):
        return "keys_shape"
    assert isinstance(modulus, str)
    bits = int.from_bytes(from_base64url(modulus)).bit_length()
    return None if bits >= _MIN_RSA_BITS else "keys_short"


def _is_number(value: object) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None and len(value) % 4 != 1


def signature_keys(keys: Sequence[Jwk], *, alg: str, kid: object) -> tuple[Jwk, ...]:
    """Return the keys that may have signed: by `kid` if there is one, else all of the kind."""
    return tuple(
        key
        for key in keys
        if key["kty"] == _KIND_OF_ALGORITHM[alg]
        and key.get("use", "sig") == "sig"
        and key.get("alg") in (None, alg)
        and (kid is None or key.get("kid") in (None, kid))
    )


def pick_encryption_key(keys: Sequence[Jwk], *, alg: str) -> Jwk | None:
    """Return the key to encrypt to: one that says it is for that before one that says nothing."""
    kind = "RSA" if alg.startswith("RSA") else "EC"
    fitting = [
        key
        for key in keys
        if key["kty"] == kind and key.get("use") in (None, "enc") and key.get("alg") in (None, alg)
    ]
    return next((key for key in fitting if "use" in key), next(iter(fitting), None))


def is_key_of(key: Jwk, alg: str) -> bool:
    """Whether a key is of the kind that the algorithm signs with."""
    return key.get("kty") == _KIND_OF_ALGORITHM[alg]


def thumbprint(key: Jwk) -> str:
    """Return the name of a key that follows from the key itself (RFC 7638 §3)."""
    essential = {name: key[name] for name in _ESSENTIAL[str(key["kty"])]}
    text = json.dumps(essential, separators=(",", ":"))
    return to_base64url(hashlib.sha256(text.encode()).digest())
