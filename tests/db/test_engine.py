"""How the engine opens SQLite, and keeps connections to PostgreSQL."""

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import sessionmaker

from idp.db.engine import configure_engine, engine_options
from idp.db.errors import UNAVAILABLE
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


@pytest.fixture
def two(postgresql_url):
    """An engine with one connection, and one that ends it from outside."""
    engine = create_engine(postgresql_url, **engine_options(postgresql_url, pool_size=1))
    configure_engine(engine)
    other = create_engine(postgresql_url)
    yield sessionmaker(engine), other
    engine.dispose()
    other.dispose()


def process_of(sessions):
    with reading(sessions) as db:
        return db.scalar(text("SELECT pg_backend_pid()"))


def end(other, process):
    with other.connect() as connection:
        assert connection.scalar(text(f"SELECT pg_terminate_backend({process}, 5000)"))


def test_ft_01_a_connection_that_rested_and_is_gone_is_replaced_unseen(two, monkeypatch):
    sessions, other = two
    monkeypatch.setattr("idp.db.engine.RESTED_SECONDS", 0)
    first = process_of(sessions)
    assert process_of(sessions) == first
    end(other, first)
    with transaction(sessions) as db:
        assert db.scalar(text("SELECT pg_backend_pid()")) != first


def test_ft_01_one_that_goes_in_the_moment_between_is_told_once(two, monkeypatch):
    sessions, other = two
    monkeypatch.setattr("idp.db.engine.RESTED_SECONDS", 3_600)
    first = process_of(sessions)
    end(other, first)
    with pytest.raises(UNAVAILABLE):
        process_of(sessions)
    assert process_of(sessions) != first


def test_a_connection_in_use_is_not_asked_for_its_health(two, monkeypatch):
    sessions, other = two
    monkeypatch.setattr("idp.db.engine.RESTED_SECONDS", 3_600)
    process = process_of(sessions)
    question = text("SELECT query FROM pg_stat_activity WHERE pid = :process")
    question = question.bindparams(process=process)
    with sessions.kw["bind"].connect(), other.connect() as watching:
        assert watching.scalar(question) in ("COMMIT", "ROLLBACK")
    monkeypatch.setattr("idp.db.engine.RESTED_SECONDS", 0)
    with sessions.kw["bind"].connect(), other.connect() as watching:
        assert watching.scalar(question) not in ("COMMIT", "ROLLBACK")
