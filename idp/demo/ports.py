"""The ports of the demo, and whether they are free."""

import socket
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
DEFAULT_BASE = 8000


@dataclass(frozen=True)
class Ports:
    """One port for each part of the demo."""

    provider: int
    booking: int
    certificate: int
    mailbox: int
    smtp: int


def ports_from(base: int) -> Ports:
    """Return the ports that follow from the first one: 8000 gives 8000, 8001, 8002, 8025, 8026."""
    return Ports(base, base + 1, base + 2, base + 25, base + 26)


def taken_ports(ports: Ports) -> tuple[int, ...]:
    """Return the ports that another program holds, on loopback or on every address."""
    return tuple(port for port in vars(ports).values() if _is_taken(port))


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: connections of an earlier start that are still ending do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
