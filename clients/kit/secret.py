"""Random tokens, their digests, and marks only we can make."""

import hashlib
import hmac
import secrets


def new_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what may lie in the database instead of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def mark(key: bytes, purpose: str, subject: str) -> str:
    """Return a mark of a subject that nobody makes without the key."""
    return hmac.new(key, f"{purpose}\n{subject}".encode(), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare without telling by the time how much was right."""
    return hmac.compare_digest(left.encode(), right.encode())
