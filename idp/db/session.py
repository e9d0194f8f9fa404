"""transaction(): the only place that commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Makes the session of the current request or job.
Sessions = Callable[[], Session]
#: An open one, for annotations of views: they pass it on and never query.
OpenSession = Session


@contextmanager
def transaction(sessions: Sessions) -> Iterator[Session]:
    """Open a session, commit on normal exit, roll back on an exception, close in any case.

    It stands once in a view, around the whole operation. What must be remembered is
    returned by the operation; what must be forgotten is raised through here.
    """
    db = sessions()
    try:
        yield db
        db.commit()
    except BaseException:
        db.rollback()
        raise
    finally:
        db.close()


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """Open a session that only reads; what it writes by mistake is rolled back.

    On SQLite it takes no write lock, so readers never wait for a writer.
    """
    db = sessions()
    try:
        db.connection(execution_options={"sqlite_begin": "DEFERRED"})
        yield db
    finally:
        db.rollback()
        db.close()


def ping(sessions: Sessions) -> None:
    """Ask the database for nothing; raises one of `idp.db.errors.UNAVAILABLE` if it is away."""
    with reading(sessions) as db:
        db.execute(text("SELECT 1"))
