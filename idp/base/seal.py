"""Sealing: values that must be read back, encrypted at rest."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12


class UnsealError(Exception):
    """The sealed value was made under another key, for another purpose, or was changed."""


class Sealer:
    """Encrypts small values under one key (AES-256-GCM, a random nonce for each).

    `context` names what the value is and whose (`totp:<account id>`): a value copied to
    another row does not open there.
    """

    def __init__(self, key: bytes, *previous: bytes) -> None:
        self._keys = (AESGCM(key), *(AESGCM(old) for old in previous))

    def seal(self, value: bytes, *, context: str) -> bytes:
        """Encrypt under the newest key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._keys[0].encrypt(nonce, value, context.encode())

    def unseal(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt with the newest key or one before it.

        Raises:
            UnsealError: no key opens it for this context.
        """
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION:
            raise UnsealError(context)
        for key in self._keys:
            try:
                return key.decrypt(nonce, body, context.encode())
            except InvalidTag:
                continue
        raise UnsealError(context)
