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
        return self._open(sealed, context=context)[1]

    def renew(self, sealed: bytes, *, context: str) -> bytes | None:
        """Return a value sealed anew under the newest key; None if it is already.

        Raises:
            UnsealError: no key opens it for this context.
        """
        place, value = self._open(sealed, context=context)
        return None if place == 0 else self.seal(value, context=context)

    def _open(self, sealed: bytes, *, context: str) -> tuple[int, bytes]:
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise UnsealError(context)
        for place, key in enumerate(self._keys):
            try:
                return place, key.decrypt(nonce, body, context.encode())
            except InvalidTag:
                continue
        raise UnsealError(context)
