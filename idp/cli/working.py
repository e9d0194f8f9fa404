"""`idp worker`: what works beside the servers: delivers mail and calls, cleans up."""

import argparse
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask

from idp.app import build_http, create_app
from idp.base.clock import utc_now
from idp.base.logs import configure_logs
from idp.db.session import transaction
from idp.domain.backstage.housekeeping import clean_up
from idp.domain.grants.key_schedule import advance_keys
from idp.mail.messages import Writer
from idp.mail.transport import MailTransport
from idp.mail.worker import Worker
from idp.model.upkeep import OutboxKind
from idp.settings.keys import keyring_of
from idp.settings.load import load_settings
from idp.web.deps import SERVICES, Services
from idp.web.key_schedule import key_schedule

_PARENT_POLL_SECONDS = 1.0
#: Calls to services (logout, events): a service that does not answer holds one of these.
_CALLS_AT_ONCE = 4
_CALLS_PER_MINUTE = 6_000


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `worker`."""
    worker = rooms.add_parser("worker", help="deliver mail and logout calls, clean up")
    worker.set_defaults(run=_work)


def _work(options: argparse.Namespace) -> None:
    work(options.config)


def work(config: Path | None, *, parent: int | None = None) -> None:
    """Deliver until told to stop, or until the process that started us is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if parent is not None:
        threading.Thread(target=_stop_with_parent, args=(parent, stop), daemon=True).start()
    settings = load_settings(config)
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
