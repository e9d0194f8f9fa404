"""`idp serve`: the provider behind its TLS proxy.

This process loads the application and never runs it: its servers and its worker are forked from
it. So nothing here may open a connection that stays, or start a thread, before they are.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Process
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from idp.app import TEMPLATES, create_app
from idp.base.logs import configure_logs
from idp.base.texts import load_texts
from idp.cli.context import opened
from idp.cli.process import collect_seldom, keep_loaded, start_others_by_fork, use_one_arena
from idp.cli.schema import check_tables
from idp.cli.working import work
from idp.domain.grants.key_rotation import ensure_keys
from idp.settings.load import announce_config, load_settings
from idp.settings.schema import Settings

#: How long requests under way may take to finish after the signal to stop.
STOP_SECONDS = 10


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `serve`."""
    serve = rooms.add_parser("serve", help="run the provider")
    serve.set_defaults(run=_serve)


def build_wsgi() -> Any:  # noqa: ANN401 - a Flask application, as the server takes it
    """Build the application in a server process; the settings are where `serve` found them."""
    use_one_arena()
    settings = load_settings()
    configure_logs(level=settings.log.level, form=settings.log.form)
    application = create_app(settings)
    keep_loaded()
    collect_seldom()
    return application


def _serve(options: argparse.Namespace) -> None:
    """Check tables and keys, then serve until told to stop."""
    settings = load_settings(options.config)
    _say(f"The tables are up to date ({check_tables(settings.database.url)}).")
    with opened(options) as context:
        ensure_keys(context.db, keys=context.keys, now=context.now)
    if options.config is not None:
        announce_config(options.config)
    load_texts(TEMPLATES / "texts")
    use_one_arena()
    start_others_by_fork()
    keep_loaded()
    with _worker_beside(options.config, wanted=settings.server.worker):
        _serve_requests(settings)


def _serve_requests(settings: Settings) -> None:
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


def _say(line: str) -> None:
    """Print a line; a full volume behind it stops nothing (FT-04)."""
    with suppress(OSError):
        print(line, flush=True)


@contextmanager
def _worker_beside(config: Path | None, *, wanted: bool) -> Iterator[None]:
    """Run the worker as a process of its own; it ends with us, however we end."""
    if not wanted:
        yield
        return
    process = Process(target=work, args=(config,), kwargs={"parent": os.getpid()})
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(STOP_SECONDS + 20)
