"""Fresh databases for tests: the schema is built once a run, then copied for each test."""

import sqlite3
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, event

from idp.cli.database import alembic_config
from idp.db.engine import configure_engine, engine_options


def build_schema(url: str) -> None:
    """Make every table in an empty database, as `idp db upgrade` does."""
    command.upgrade(alembic_config(url), "head")


def build_sqlite_template(folder: Path) -> Path:
    """Make the file that every SQLite test copies."""
    path = folder / "template.sqlite3"
    url = f"sqlite:///{path}"
    build_schema(url)
    _use_write_ahead_log(url)
    return path


def _use_write_ahead_log(url: str) -> None:
    """Open the file once as the application does: it keeps this journal from then on."""
    engine = create_engine(url, **engine_options(url, pool_size=1))
    configure_engine(engine)
    engine.connect().close()
    engine.dispose()


@contextmanager
def unreachable(app):
    """Let an application on SQLite reach no database; yield what counts its tries."""
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    tries = []

    def refuse(*_arguments):
        tries.append("connect")
        raise sqlite3.OperationalError("the database is away")

    event.listen(engine, "do_connect", refuse)
    engine.dispose()
    try:
        yield tries
    finally:
        event.remove(engine, "do_connect", refuse)
