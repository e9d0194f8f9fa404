"""The password hash: Argon2id over NFKC and the pepper, and never too many at once."""

import base64
import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from idp.base.text import password_form

#: Whoever waits longer than this for a place hears that it is busy.
_LONGEST_WAIT_SECONDS = 10.0


def _make_decoy(argon2: PasswordHasher) -> str:
    """Return a stored hash that no password has: its value is drawn, not computed.

    Written as Argon2's reference does it, so that it is read and compared like any other.
    """
    costs = f"m={argon2.memory_cost},t={argon2.time_cost},p={argon2.parallelism}"
    drawn = (secrets.token_bytes(argon2.salt_len), secrets.token_bytes(argon2.hash_len))
    salt, value = (base64.b64encode(part).rstrip(b"=").decode() for part in drawn)
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${value}"


class HasherBusy(Exception):  # noqa: N818 - a state, not a mistake of anybody
    """Too many passwords wait to be hashed; the page says to try again in a moment."""


class Hasher:
    """Hashes in bounded number: each costs 19 MiB and a core (ASVS 11.4.2, OWASP).

    `concurrency` run at once, `waiting` more wait for a place; whoever comes then is refused
    at once, so that a flood of sign-ins takes neither the memory nor every thread. Never call
    it inside a transaction.
    """

    def __init__(
        self,
        *,
        pepper: bytes,
        concurrency: int = 2,
        waiting: int = 64,
        time_cost: int = 2,
        memory_kib: int = 19 * 1024,
    ) -> None:
        """Prepare a hasher under this pepper; the parameters are those of new hashes."""
        self._pepper = pepper
        self._running = threading.BoundedSemaphore(concurrency)
        self._admitted = threading.BoundedSemaphore(concurrency + waiting)
        self._argon2 = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )
        self._decoy = _make_decoy(self._argon2)

    def hash(self, password: str) -> str:
        """Return what is stored, with a salt of its own.

        Raises:
            HasherBusy: there is no place even to wait.
        """
        with self._place():
            return self._argon2.hash(self._mix(password))

    def verify(self, stored: str, password: str) -> bool:
        """Whether this is the password; one that was stored under another pepper never is.

        Raises:
            HasherBusy: there is no place even to wait.
        """
        with self._place():
            try:
                return self._argon2.verify(stored, self._mix(password))
            except (VerificationError, InvalidHashError):
                return False

    def verify_dummy(self, password: str) -> None:
        """Cost as much as `verify`, for an id that nobody has (EN-02)."""
        self.verify(self._decoy, password)

    def is_outdated(self, stored: str) -> bool:
        """Whether a right password should be hashed anew under today's parameters (PW-06)."""
        return self._argon2.check_needs_rehash(stored)

    def _mix(self, password: str) -> bytes:
        # HMAC first: its output has one length, so nothing after byte 72 or a NUL is ignored.
        text = password_form(password).encode("utf-8", "surrogatepass")
        return hmac.digest(self._pepper, text, "sha256")

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise HasherBusy
        try:
            if not self._running.acquire(timeout=_LONGEST_WAIT_SECONDS):
                raise HasherBusy
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()
