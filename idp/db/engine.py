"""The engine: how SQLite and PostgreSQL are opened, so that both behave alike."""

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

#: How long a writer waits for another before "database is locked" (milliseconds).
SQLITE_BUSY_MILLISECONDS = 5_000
_SWITCH_PAUSE_SECONDS = 0.01
#: Where a connection carries how its next transaction begins.
_KIND = "sqlite_begin"
#: How long one statement may run on PostgreSQL (milliseconds).
STATEMENT_MILLISECONDS = 5_000

#: After how long a connection of the pool is asked whether it still stands.
RESTED_SECONDS = 1.0
_USED_AT = "used_at"
#: How long PostgreSQL's host may leave what was sent unacknowledged (milliseconds).
SILENCE_MILLISECONDS = 4_000


def engine_options(url: str, *, pool_size: int) -> dict[str, Any]:
    """Return the options `create_engine` needs for this address."""
    # The values of a statement are addresses and digests; its errors go to the log (LG-01).
    hidden = {"hide_parameters": True}
    if url.startswith("sqlite"):
        # Threads keep theirs (idp.db.kept), so there are as many as threads: no bound of its own.
        timeout = {"timeout": SQLITE_BUSY_MILLISECONDS / 1000}
        return hidden | {"max_overflow": -1, "connect_args": timeout}
    return hidden | {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 2,
        "connect_args": {
            "connect_timeout": 2,
            # A server whose packets get lost is given up like one that is gone (FT-01).
            "tcp_user_timeout": SILENCE_MILLISECONDS,
            "options": f"-c statement_timeout={STATEMENT_MILLISECONDS} -c timezone=UTC",
        },
    }


def configure_engine(engine: Engine) -> None:
    """Make SQLite durable, strict about foreign keys, and take the write lock at BEGIN.

    BEGIN IMMEDIATE: with a read snapshot open, a later write would fail with "database is
    locked" instead of waiting; so every transaction waits at its start. `begin_reading` is
    for those that only read.
    """
    if engine.dialect.name != "sqlite":
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _Waking(engine.dialect))
        return
    event.listen(engine, "connect", _prepare_sqlite)
    engine.dialect.do_begin = _begin_immediate  # type: ignore[method-assign]


def _note_use(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


class _Waking:
    """Asks a connection that has rested whether its server is still there.

    Asked every time, a small transaction takes a round trip more. One that goes in the moment
    between is an error that everybody hears as "try again" (FT-01), and the others are new.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def __call__(
        self, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object
    ) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or time.monotonic() - used_at < RESTED_SECONDS:
            return
        try:
            self._dialect.do_ping(connection)
        except self._dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError("the connection is gone") from error


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver must not open transactions by itself: _begin_immediate does.
    connection.isolation_level = None
    cursor = connection.cursor()
    _use_write_ahead_log(cursor)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_MILLISECONDS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_write_ahead_log(cursor: DBAPICursor) -> None:
    """Switch the file to WAL; whoever comes second finds it switched.

    SQLite refuses at once, without its own waiting, when two workers switch a new or restored
    file together: each holds the read lock the other waits for. So the waiting is done here.
    """
    deadline = time.monotonic() + SQLITE_BUSY_MILLISECONDS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(_SWITCH_PAUSE_SECONDS)
        else:
            return


def begin_reading(connection: Connection) -> None:
    """Begin a transaction that only reads, all of it at one moment.

    No write lock on SQLite, READ ONLY on PostgreSQL.
    """
    if connection.dialect.name == "sqlite":
        connection.info[_KIND] = "DEFERRED"
    else:
        # As on SQLite, everything that is read is of one moment.
        connection.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    connection.begin()


def begin_looking(connection: Connection) -> None:
    """Let every statement stand alone: no transaction is begun, and none has to be ended."""
    if connection.dialect.name == "sqlite":
        connection.info[_KIND] = None
    else:
        connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.begin()


def end_reading(connection: Connection) -> None:
    """End it without a word of failure where one costs.

    At a ROLLBACK the driver of PostgreSQL forgets every statement that it has prepared, and the
    server plans them all anew. A COMMIT keeps them, and READ ONLY leaves it nothing to write.
    """
    if connection.dialect.name != "sqlite":
        connection.commit()


def _begin_immediate(dbapi_connection: PoolProxiedConnection) -> None:
    # An event of the engine would do as well, and then SQLAlchemy looks for listeners at
    # every statement: a fifth of what a small transaction costs.
    kind = dbapi_connection.info.pop(_KIND, "IMMEDIATE")
    if kind is None:
        return
    driver = dbapi_connection.dbapi_connection
    assert driver is not None
    driver.execute(f"BEGIN {kind}")
