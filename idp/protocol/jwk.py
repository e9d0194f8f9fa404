"""Public keys of clients: what a registered key set may hold (RFC 7517)."""

import re
from collections.abc import Mapping

from idp.base.secret import from_base64url

#: Algorithms of client assertions; never a symmetric one, never `none`.
ASSERTION_ALGORITHMS = ("PS256", "ES256", "EdDSA", "RS256")
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


def find_jwks_fault(content: Mapping[str, object]) -> str | None:
    """Return why a key set may not be registered, or None."""
    keys = content.get("keys")
    if set(content) != {"keys"} or not isinstance(keys, list) or not 0 < len(keys) <= _MAX_KEYS:
        return "keys_shape"
    for key in keys:
        fault = _find_key_fault(key) if isinstance(key, dict) else "keys_shape"
        if fault is not None:
            return fault
    kids = [key["kid"] for key in keys if "kid" in key]
    if len(set(kids)) != len(kids):
        return "keys_kid"
    return None


def _find_key_fault(key: Mapping[str, object]) -> str | None:
    if _PRIVATE & set(key):
        return "keys_private"
    if not isinstance(key.get("kid", ""), str) or key.get("use", "sig") != "sig":
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
