"""The end of an outgoing call, whatever it waits for just then (SR-04)."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

_OPENED = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


class NoThreadError(Exception):
    """Nobody could end the call, so it is not made."""


class Cutoff:
    """Shuts the connection of one call when its time is over.

    A timeout of the library counts anew with every byte that comes, so a server that drips the
    head of its answer could hold a call for hours. Connecting and the TLS handshake are
    bounded by that timeout; from then on the connection is known by `trace`.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Begin to count.

        Raises:
            NoThreadError: the machine has no thread left to count with.
        """
        try:
            self._timer.start()
        except RuntimeError:
            raise NoThreadError from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """Take note of the connection: the `trace` extension of the request."""
        if event in _OPENED:
            self._socket = facts["return_value"].get_extra_info("socket")
            if self.is_over:
                self._shut()

    def _cut(self) -> None:
        self.is_over = True
        self._shut()

    def _shut(self) -> None:
        if self._socket is None:
            return
        with suppress(OSError):  # it has been closed meanwhile
            # Not the method of a TLS socket: that one forgets its keys under the reader's hands.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
