"""Serve a relying party for real: threads, a bounded queue, and a clean end."""

import logging
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from clients.kit.context import kit

_THREADS = 4


class ServerError(Exception):
    """The server cannot start; the message says what to do."""


#: Builds an application from its settings file.
Factory = Callable[[Path], Flask]


def serve(factory: Factory, config: Path, *, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; requests on their way are finished.

    One process: the outbox thread lives in it. `factory` is a function of a module, because the
    worker process builds the application itself.

    Raises:
        ServerError: the address cannot be listened on.
    """
    _check_address(host, port)
    server = Granian(
        "relying-party",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=_THREADS,
        websockets=False,
        log_access=False,
        workers_kill_timeout=10,
    )
    server.serve(target_loader=partial(_load, factory, config), wrap_loader=False)


def default_port(base_url: str, fallback: int) -> int:
    """Return the port in `base_url`: on one's own machine it is the one to listen on."""
    return urlsplit(base_url).port or fallback


def log_to_stderr() -> None:
    """Write one line an event; Authlib only warns, because its details contain tokens."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s"
    )
    logging.getLogger("authlib").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.WARNING)


def _check_address(host: str, port: int) -> None:
    """Try the address first: the server itself would answer a taken one with a stack trace."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", error)
        message = f"{host}:{port}: {reason}; choose another with --host and --port"
        raise ServerError(message) from None


def _load(factory: Factory, config: Path) -> Flask:
    log_to_stderr()
    app = factory(config)
    with app.app_context():
        kit().worker.start()
    return app
