"""Proof Key for Code Exchange (RFC 7636): S256 only."""

import hashlib
import re

from idp.base.secret import equal, to_base64url

METHOD = "S256"

#: RFC 7636 §4.1: 43 to 128 unreserved characters.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
#: §4.2: the base64url form of a SHA-256 value.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def is_challenge(text: str) -> bool:
    """Whether the text can be an S256 challenge."""
    return _CHALLENGE.fullmatch(text) is not None


def is_verifier(text: str) -> bool:
    """Whether the text has the shape of a verifier."""
    return _VERIFIER.fullmatch(text) is not None


def build_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 §4.2)."""
    return to_base64url(hashlib.sha256(verifier.encode()).digest())


def verifies(verifier: str, challenge: str | None) -> bool:
    """Whether the verifier fits the challenge the code was issued with (RFC 7636 §4.6).

    A code without a challenge takes no verifier: otherwise whoever strips the challenge
    from a request could still bring a verifier (RFC 9700 §4.8.2).
    """
    if challenge is None:
        return verifier == ""
    if not is_verifier(verifier):
        return False
    return equal(build_challenge(verifier).encode(), challenge.encode())
