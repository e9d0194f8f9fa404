"""`idp serve` and `idp worker`: the provider behind its TLS proxy, and what works beside it."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from idp.app import build_http, create_app, keyring_of
from idp.base.clock import utc_now
from idp.base.logs import configure_logs
from idp.cli.context import opened
from idp.cli.database import _check
from idp.db.session import transaction
from idp.domain.backstage.housekeeping import clean_up
from idp.domain.grants.key_rotation import ensure_keys
from idp.domain.grants.key_schedule import advance_keys
from idp.mail.messages import Writer
from idp.mail.transport import MailTransport
from idp.mail.worker import Worker
from idp.model.upkeep import OutboxKind
from idp.settings.load import announce_config, load_settings
from idp.web.deps import SERVICES, Services
from idp.web.key_schedule import key_schedule

#: How long requests under way may take to finish after the signal to stop.
STOP_SECONDS = 10
_PARENT_POLL_SECONDS = 1.0
#: Calls to services (logout, events): a service that does not answer holds one of these.
_CALLS_AT_ONCE = 4
_CALLS_PER_MINUTE = 6_000


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `serve` and `worker`."""
    serve = rooms.add_parser("serve", help="run the provider")
    serve.set_defaults(run=_serve)
    worker = rooms.add_parser("worker", help="deliver mail and logout calls, clean up")
    worker.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    worker.set_defaults(run=_work)


def build_wsgi() -> Any:  # noqa: ANN401 - a Flask application, as the server takes it
    """Build the application in a server process; the settings are where `serve` found them."""
    settings = load_settings()
    configure_logs(level=settings.log.level, form=settings.log.form)
    return create_app(settings)


def _serve(options: argparse.Namespace) -> None:
    """Check tables and keys, then serve until told to stop."""
    _check(options)
    with opened(options) as context:
        settings = context.settings
        ensure_keys(context.db, keys=context.keys, now=context.now)
    if options.config is not None:
        announce_config(options.config)
    with _worker_beside(options.config, wanted=settings.server.worker):
        Granian(
            "idp.cli.serving:build_wsgi",
            factory=True,
            address=settings.server.host,
            port=settings.server.port,
            interface=Interfaces.WSGI,
            workers=settings.server.workers,
            blocking_threads=settings.server.threads,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS,
            websockets=False,
        ).serve()


@contextmanager
def _worker_beside(config: Path | None, *, wanted: bool) -> Iterator[None]:
    """Run the worker as a process of its own; it ends with us, however we end."""
    if not wanted:
        yield
        return
    where = () if config is None else ("--config", str(config))
    command = (sys.executable, "-m", "idp.cli.main", *where, "worker", "--with-parent")
    process = subprocess.Popen(command)  # noqa: S603 - our own command
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS + 20)


def _work(options: argparse.Namespace) -> None:
    """Deliver until told to stop, or until the process that started us is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.with_parent:
        threading.Thread(target=_stop_with_parent, args=(os.getppid(), stop), daemon=True).start()
    settings = load_settings(options.config)
    configure_logs(level=settings.log.level, form=settings.log.form)
    app = create_app(settings)
    services = app.extensions[SERVICES]
    assert isinstance(services, Services)
    issuer = settings.provider.issuer
    worker = Worker(
        sessions=services.sessions,
        clock=utc_now,
        keys=keyring_of(settings),
        issuer=issuer,
        writer=Writer(texts=services.texts, templates=app.jinja_env, issuer=issuer),
        transport=MailTransport(app, settings.mail),
        http=build_http(settings),
        upkeep=lambda: _keep_up(services),
        per_minute=settings.mail.per_minute,
    )
    calling = threading.Thread(target=_call_services, args=(app, worker, stop), name="calls")
    calling.start()
    try:
        with app.app_context():
            replace(worker, kinds=frozenset({OutboxKind.MAIL})).run(stop)
    finally:
        stop.set()
        calling.join()


def _call_services(app: Flask, worker: Worker, stop: threading.Event) -> None:
    """Deliver what goes to services, apart from the mails; if this breaks, all of it ends."""
    caller = replace(
        worker,
        kinds=frozenset(OutboxKind) - {OutboxKind.MAIL},
        width=_CALLS_AT_ONCE,
        per_minute=_CALLS_PER_MINUTE,
        upkeep=lambda: None,
        scope=app.app_context,
    )
    try:
        with app.app_context():
            caller.run(stop)
    finally:
        stop.set()


def _keep_up(services: Services) -> None:
    """Delete what has served its time, and take the signing keys a step further."""
    with transaction(services.sessions) as db:
        clean_up(db, now=services.clock())
    schedule = key_schedule(services.settings)
    with transaction(services.sessions) as db:
        advance_keys(db, schedule, keys=services.keys, now=services.clock())


def _stop_with_parent(parent: int, stop: threading.Event) -> None:
    """Notice that the parent died without a word: a process gets another parent then."""
    while not stop.wait(_PARENT_POLL_SECONDS):
        if os.getppid() != parent:
            stop.set()
