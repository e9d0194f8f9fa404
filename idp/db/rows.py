"""Statements of the hot paths: built once at import, run below the object mapper."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import MultipleResultsFound
from sqlalchemy.orm import Session

from idp.db.prepared import Prepared, is_watched, run, statements_of

#: A row that was found: its columns by name, or by place.
FoundRow = Any

#: Marks a session that must not write (idp.db.session.looking).
LOOKS_ONLY = "looks_only"
_KEPT = "connection_of_this_transaction"


class LooksOnlyError(Exception):
    """Somebody writes where every statement would be committed by itself; a mistake of ours."""


def keep_connection(db: Session, connection: Connection) -> None:
    """Let the statements of a session find its connection without asking for it again."""
    db.info[_KEPT] = connection


def forget_connection(db: Session) -> None:
    """End what `keep_connection` began."""
    db.info.pop(_KEPT, None)


def fetch_one(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> FoundRow | None:
    """Return the one row of a Core statement, or None.

    The connection is asked directly: nothing waits in the session to be flushed first, and
    no object is built.

    Raises:
        MultipleResultsFound: there are more; a mistake of the statement.
        LooksOnlyError: it writes.
    """
    _require_reading(db, statement)
    connection = _connection(db)
    prepared = _find_prepared(connection, statement, parameters)
    if prepared is None:
        return connection.execute(statement, dict(parameters)).one_or_none()
    cursor, data = run(connection, prepared, parameters, lambda opened: opened.fetchmany(2))
    try:
        if len(data) > 1:
            raise MultipleResultsFound(f"more than one row: {prepared.text}")
        return prepared.read(cursor, data)[0] if data else None
    finally:
        cursor.close()


def fetch_all(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> list[FoundRow]:
    """Return every row of a Core statement.

    Raises:
        LooksOnlyError: it writes.
    """
    _require_reading(db, statement)
    connection = _connection(db)
    prepared = _find_prepared(connection, statement, parameters)
    if prepared is None:
        return list(connection.execute(statement, dict(parameters)).all())
    cursor, data = run(connection, prepared, parameters, lambda opened: opened.fetchall())
    try:
        return prepared.read(cursor, data)
    finally:
        cursor.close()


def change(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> int:
    """Run a Core INSERT or UPDATE and return how many rows it touched.

    Raises:
        LooksOnlyError: the session was opened to look.
    """
    if LOOKS_ONLY in db.info:
        raise LooksOnlyError
    connection = _connection(db)
    prepared = _find_prepared(connection, statement, parameters)
    if prepared is None:
        result = connection.execute(statement, dict(parameters))
        assert isinstance(result, CursorResult)
        return result.rowcount
    cursor, touched = run(connection, prepared, parameters, lambda opened: int(opened.rowcount))
    cursor.close()
    return touched


def _require_reading(db: Session, statement: Executable) -> None:
    """Refuse an INSERT or UPDATE that returns rows where nothing may be written."""
    if statement.is_dml and LOOKS_ONLY in db.info:
        raise LooksOnlyError


def _find_prepared(
    connection: Connection, statement: Executable, parameters: Mapping[str, Any]
) -> Prepared | None:
    if is_watched(connection):
        return None
    return statements_of(connection.dialect).find(statement, parameters)


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
