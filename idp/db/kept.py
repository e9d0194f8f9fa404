"""Connections that a thread keeps between two operations, where nobody else needs them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Pool
from sqlalchemy.orm import Session

Factory = Callable[[], Session]


class _Place(threading.local):
    """Where a thread puts a connection down; no other thread takes it."""

    connection: Connection | None = None
    #: The pool it came from; `Engine.dispose` replaces it, and then it is not to be used again.
    pool: Pool | None = None


# Module state, as in idp.db.cache and for its reason: operations get nothing but a factory.
#: The factories whose threads keep connections; with a factory, they go too.
_PLACES: WeakKeyDictionary[Factory, _Place] = WeakKeyDictionary()


def keep_connections(sessions: Factory, engine: Engine) -> None:
    """Let each thread keep its connection between two operations, on a database that is a file.

    For a process that serves, and never forks afterwards. Taking a connection from the pool and
    putting it back costs a tenth of a small request. PostgreSQL's are counted, and stay shared.
    """
    if engine.dialect.name == "sqlite":
        _PLACES[sessions] = _Place()


@contextmanager
def connected(sessions: Factory, engine: Engine) -> Iterator[Connection]:
    """Lend a connection with no transaction in it; what is not committed is rolled back.

    One that met an error goes back to the pool, and none is kept while somebody listens to the
    engine.
    """
    place = _PLACES.get(sessions)
    if place is None or engine._has_events:  # noqa: SLF001 - as in prepared.py
        with engine.connect() as connection:
            yield connection
        return
    pool = engine.pool
    connection = _take(place, pool) or engine.connect()
    try:
        yield connection
        if connection.in_transaction():
            connection.rollback()
    except BaseException:
        connection.close()
        raise
    _put_down(place, connection, pool)


def _take(place: _Place, pool: Pool) -> Connection | None:
    """Take what this thread put down; an operation inside another finds nothing."""
    connection = place.connection
    place.connection = None
    if connection is None:
        return None
    # The second: somebody went on with a session whose block had ended.
    if place.pool is not pool or connection.in_transaction():
        connection.invalidate()
        connection.close()
        return None
    return connection


def _put_down(place: _Place, connection: Connection, pool: Pool) -> None:
    """Keep a connection, unless one lies here already or its driver is still in a transaction.

    A transaction that stayed open would show its old moment for ever: a token that has been
    revoked since would live on.
    """
    driver = connection.connection.dbapi_connection
    if place.connection is not None or driver is None or driver.in_transaction:
        connection.close()
    else:
        place.connection, place.pool = connection, pool
