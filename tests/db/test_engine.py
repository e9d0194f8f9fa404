"""How the engine opens SQLite."""

import sqlite3
import threading

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from idp.db.engine import configure_engine, engine_options

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
