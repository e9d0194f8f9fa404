"""Rates of requests by network address; locks of accounts live in the database."""

import ipaddress
import logging
import time
from collections.abc import Callable

from flask import current_app, request
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from idp.web.deps import peer_address

_LOG = logging.getLogger(__name__)

LIMITER = "kosodate_limiter"
#: A store that does not answer keeps nobody waiting longer.
STORE_SECONDS = 0.5
#: After a failure it is left alone for so long, so that one request in many waits for it.
PAUSE_SECONDS = 5.0


class RateLimiter:
    """Counts in the shared store; while that is away, in this process: never unlimited (RL-08)."""

    def __init__(
        self, store: str, per_minute: int, *, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        waits = {"socket_timeout": STORE_SECONDS, "socket_connect_timeout": STORE_SECONDS}
        storage = storage_from_string(store, wrap_exceptions=True, **waits)
        self._shared = FixedWindowRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._tick = tick
        self._asked_again_at = 0.0

    def admits(self, key: str) -> bool:
        """Count one request; tell whether it is within the rate."""
        if self._tick() < self._asked_again_at:
            return self._own.hit(self._item, key)
        try:
            return self._shared.hit(self._item, key)
        except StorageError as error:
            self._asked_again_at = self._tick() + PAUSE_SECONDS
            _LOG.warning("limits.store_away kind=%s", type(error.storage_error).__name__)
            return self._own.hit(self._item, key)


def check_rate() -> None:
    """Refuse an unsafe request from an address that has sent too many this minute.

    Raises:
        TooManyRequests: with the seconds to wait.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    limiter = current_app.extensions[LIMITER]
    assert isinstance(limiter, RateLimiter)
    if not limiter.admits(network_of(peer_address())):
        raise TooManyRequests(retry_after=60)


def network_of(address: str) -> str:
    """Return what counts as one peer: an IPv4 address, an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6 and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    if parsed.version == 6:
        return str(ipaddress.ip_network(f"{parsed.compressed.partition('%')[0]}/64", strict=False))
    return str(parsed)
