"""Statements of the hot paths: built once at import, run below the object mapper."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.orm import Session


def fetch_one(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> Row[Any] | None:
    """Return the one row of a Core statement, or None.

    The connection is asked directly: nothing waits in the session to be flushed first, and
    no object is built.
    """
    return db.connection().execute(statement, dict(parameters)).one_or_none()


def fetch_all(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> list[Row[Any]]:
    """Return every row of a Core statement."""
    return list(db.connection().execute(statement, dict(parameters)).all())


def change(db: Session, statement: Executable, parameters: Mapping[str, Any]) -> int:
    """Run a Core INSERT or UPDATE and return how many rows it touched."""
    result = db.connection().execute(statement, dict(parameters))
    assert isinstance(result, CursorResult)
    return result.rowcount
