"""One SQLite file: transactions, and schema steps applied once each."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clients.kit.clock import to_text

_BUSY_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class Database:
    """A file and the folders its schema steps lie in, the first folder first."""

    path: Path
    step_folders: tuple[Path, ...]

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open the one writing transaction; commit at the normal end, else undo all of it.

        BEGIN IMMEDIATE takes the write lock first, so no reader turns into a late writer and
        fails half way.
        """
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that sees one state of the data and changes nothing."""
        with self._connected() as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    def migrate(self, *, now: datetime) -> None:
        """Apply the schema steps that are missing; doing it again is harmless."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            _use_write_ahead_log(connection)
        with self.write() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_step"
                " (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT"
            )
            for step in self._steps():
                _apply(connection, step, now=now)

    def _steps(self) -> Sequence[Path]:
        return [step for folder in self.step_folders for step in sorted(folder.glob("*.sql"))]

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection
        finally:
            connection.close()


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL; whoever comes second finds it switched.

    SQLite refuses at once, without its own waiting, when two switch a new file together: each
    holds the read lock the other waits for. So the waiting is done here.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _apply(connection: sqlite3.Connection, step: Path, *, now: datetime) -> None:
    name = f"{step.parent.parent.name}/{step.stem}"
    claimed = connection.execute(
        "INSERT INTO schema_step (name, applied_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (name, to_text(now)),
    )
    if claimed.rowcount == 0:
        return
    for statement in _statements(step.read_text(encoding="utf-8")):
        connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    """Cut a script into statements: `executescript` would end our transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    assert not pending.strip(), f"unfinished statement: {pending[:80]}"
