"""Statements of the hot paths: built once at import, run below the object mapper."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Row
from sqlalchemy.orm import Session

_KEPT = "connection_of_this_transaction"


def keep_connection(db: Session, connection: Connection) -> None:
    """Let the statements of a session find its connection without asking for it again."""
    db.info[_KEPT] = connection


def fetch_one(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> Row[Any] | None:
    """Return the one row of a Core statement, or None.

    The connection is asked directly: nothing waits in the session to be flushed first, and
    no object is built.
    """
    return _connection(db).execute(statement, dict(parameters)).one_or_none()


def fetch_all(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> list[Row[Any]]:
    """Return every row of a Core statement."""
    return list(_connection(db).execute(statement, dict(parameters)).all())


def change(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> int:
    """Run a Core INSERT or UPDATE and return how many rows it touched."""
    result = _connection(db).execute(statement, dict(parameters))
    assert isinstance(result, CursorResult)
    return result.rowcount


def _connection(db: Session) -> Connection:
    """Return the connection of the running transaction; asked ten times, it is found once.

    The session closes it at the end of the transaction, and then gets another one.
    """
    if db.in_nested_transaction():
        # Asked of the session: only then the savepoint is really set.
        return db.connection()
    known = db.info.get(_KEPT)
    if not isinstance(known, Connection) or known.closed:
        known = db.info[_KEPT] = db.connection()
    return known
