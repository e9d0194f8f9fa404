"""transaction(): the only place that commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from idp.db.engine import begin_looking, begin_reading, end_reading
from idp.db.kept import connected
from idp.db.rows import LOOKS_ONLY, forget_connection, keep_connection

#: Makes the session of the current request or job.
Sessions = Callable[[], Session]
#: An open one, for annotations of views: they pass it on and never query.
OpenSession = Session

#: Which engine a factory's sessions use; asked of a session once.
_ENGINES: WeakKeyDictionary[Sessions, Engine] = WeakKeyDictionary()


def engine_behind(sessions: Sessions) -> Engine:
    """Return the engine that sessions of this factory use."""
    engine = _ENGINES.get(sessions)
    if engine is None:
        db = sessions()
        engine = _ENGINES[sessions] = db.get_bind().engine
        db.close()
    return engine


class UnfinishedTransactionError(Exception):
    """An error of the database was swallowed outside a savepoint: what came before it is undone.

    A mistake of ours. What was written after it must not be committed as if it were the whole.
    """


@contextmanager
def transaction(sessions: Sessions) -> Iterator[Session]:
    """Open a session, commit on normal exit, roll back on an exception, close in any case.

    It stands once in a view, around the whole operation. What must be remembered is
    returned by the operation; what must be forgotten is raised through here.
    """
    # Leaving the block of the connection rolls back what was not committed.
    with connected(sessions, engine_behind(sessions)) as connection:
        db = _open_on(connection, sessions)
        try:
            yield db
            # Writes what the object mapper still holds; the connection is ours to commit.
            db.flush()
            if not db.is_active:
                raise UnfinishedTransactionError
            connection.commit()
        finally:
            _leave(db)


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """Open a session that only reads; what it writes by mistake is rolled back or refused.

    On SQLite it takes no write lock, so readers never wait for a writer.
    """
    with connected(sessions, engine_behind(sessions)) as connection:
        begin_reading(connection)
        db = _open_on(connection, sessions)
        try:
            yield db
            end_reading(connection)
        finally:
            _leave(db)


@contextmanager
def looking(sessions: Sessions) -> Iterator[Session]:
    """Open a session for an operation that asks one question, or several that need not agree.

    Each statement sees its own moment, and nothing is told to the database before or after it:
    two round trips less than `reading`. Nothing may be written: `idp.db.rows` refuses, and
    the object mapper writes nothing by itself, but an INSERT given to `execute` would stay.
    """
    with connected(sessions, engine_behind(sessions)) as connection:
        begin_looking(connection)
        db = _open_on(connection, sessions)
        db.autoflush = False
        db.info[LOOKS_ONLY] = True
        try:
            yield db
        finally:
            _leave(db)


def _open_on(connection: Connection, sessions: Sessions) -> Session:
    """Open a session on a connection whose transaction is held here.

    Statements of the hot paths (idp.db.rows) then reach the driver without the session's own
    bookkeeping, which costs more than a small query.
    """
    db = sessions()
    db.bind = connection
    keep_connection(db, connection)
    return db


def _leave(db: Session) -> None:
    """Close a session that was used; below the object mapper it never began anything.

    Whoever still holds it has an error, not the connection of the next operation.
    """
    if db.in_transaction():
        db.close()
    db.bind = None
    forget_connection(db)


def ping(sessions: Sessions) -> None:
    """Ask the database for nothing; raises one of `idp.db.errors.UNAVAILABLE` if it is away."""
    with reading(sessions) as db:
        db.execute(text("SELECT 1"))
