"""How the engine opens SQLite."""

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import sessionmaker

from idp.db.engine import configure_engine, engine_options
from idp.db.session import reading, transaction

NOTHING = text("SELECT 1")
ROUNDS, WORKERS = 25, 4


def test_workers_that_open_a_new_file_at_once_all_get_in(tmp_path):
    """Several rounds: which of them meet in the switch to WAL is chance."""
    failures = []

    def start_worker(url, gate):
        engine = create_engine(url, **engine_options(url, pool_size=1))
        configure_engine(engine)
        gate.wait()
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("INSERT INTO visit VALUES (1)")
        except OperationalError as error:
            failures.append(error)
        engine.dispose()

    for number in range(ROUNDS):
        path = tmp_path / f"{number}.sqlite3"
        with sqlite3.connect(path) as plain:
            plain.execute("CREATE TABLE visit (number INTEGER)")
        plain.close()
        gate = threading.Barrier(WORKERS)
        threads = [
            threading.Thread(target=start_worker, args=(f"sqlite:///{path}", gate))
            for _ in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_who_only_reads_takes_no_write_lock_and_who_writes_takes_it_at_once(tmp_path):
    """On one and the same connection, in turns: what began one transaction is forgotten."""
    url = f"sqlite:///{tmp_path / 'turns.sqlite3'}"
    engine = create_engine(url, pool_size=1, max_overflow=0)
    configure_engine(engine)
    sessions = sessionmaker(engine)
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        for _ in range(2):
            with reading(sessions) as db:
                db.execute(NOTHING)
                other.execute("BEGIN IMMEDIATE")
                other.rollback()
            with reading(sessions):
                pass  # asks nothing, and changes nothing for the next
            with transaction(sessions) as db:
                db.execute(NOTHING)
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    other.execute("BEGIN IMMEDIATE")
    engine.dispose()
