"""Random values, digests and comparisons of secrets."""

import base64
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def new_token() -> str:
    """Make an unguessable URL-safe text of 256 bits (43 characters)."""
    return secrets.token_urlsafe(32)


def new_digits(count: int) -> str:
    """Make a code of decimal digits, every value equally likely, leading zeros kept."""
    return f"{secrets.randbelow(10**count):0{count}d}"


def digest(secret: str) -> bytes:
    """Return what is stored of a high-entropy secret: its SHA-256.

    Text that UTF-8 cannot carry (a lone surrogate) is digested with a replacement, so it
    matches nothing instead of failing.
    """
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def keyed_digest(key: bytes, text: str) -> bytes:
    """Return what is stored of a short code: its HMAC-SHA-256 under a key of the server."""
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).digest()


def equal(one: bytes, other: bytes) -> bool:
    """Compare without telling by the time taken where the two differ."""
    return hmac.compare_digest(one, other)


def derive_key(master: bytes, purpose: str) -> bytes:
    """Derive a 256-bit key for one purpose (RFC 5869), so that no key serves two."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(master)


def to_base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Decode base64url with or without padding.

    Raises:
        ValueError: the text is not base64url.
    """
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
