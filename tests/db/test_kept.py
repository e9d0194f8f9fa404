"""Connections that threads keep: nothing of one operation is left for the next one."""

import gc
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, event, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from idp.base.secret import digest
from idp.db.engine import configure_engine, engine_options
from idp.db.kept import keep_connections
from idp.db.rows import LooksOnlyError, change, fetch_all
from idp.db.session import looking, reading, transaction
from idp.model.grants import ReplayMark

MARKS = ReplayMark.__table__
NEW = insert(MARKS)
ALL = select(MARKS.c.key_digest)
#: More than a pool lends by default.
MANY = 20
OPENED = pytest.mark.parametrize("opened", [transaction, reading, looking])


class MistakeError(Exception):
    """Somebody's own."""


@pytest.fixture
def keeping(database_url):
    """Sessions of a process that serves."""
    yield from build_keeping(database_url)


@pytest.fixture
def on_file(sqlite_url):
    """The same, where a thread really keeps one."""
    yield from build_keeping(sqlite_url)


def build_keeping(url):
    engine = create_engine(url, **engine_options(url, pool_size=MANY))
    configure_engine(engine)
    sessions = sessionmaker(engine, expire_on_commit=False)
    keep_connections(sessions, engine)
    yield sessions
    engine.dispose()


def mark(clock, word):
    return {"key_digest": digest(word), "expires_at": clock() + timedelta(minutes=1)}


def add(sessions, clock, word):
    with transaction(sessions) as db:
        change(db, NEW, mark(clock, word))


def count(opened, sessions):
    with opened(sessions) as db:
        return len(fetch_all(db, ALL, {}))


def use(opened, sessions):
    """Run an operation; return the driver's connection that it had."""
    with opened(sessions) as db:
        fetch_all(db, ALL, {})
        return db.get_bind().connection.driver_connection


@OPENED
def test_every_operation_sees_what_others_have_committed_since(keeping, sessions, clock, opened):
    for number in range(4):
        assert count(opened, keeping) == number
        add(sessions, clock, str(number))


@OPENED
def test_operations_of_every_kind_follow_each_other(keeping, clock, opened):
    assert count(opened, keeping) == 0
    add(keeping, clock, "one")
    assert count(opened, keeping) == 1
    assert count(reading, keeping) == 1
    add(keeping, clock, "two")
    assert count(opened, keeping) == 2


@OPENED
def test_an_engine_that_is_emptied_takes_kept_connections_along(on_file, opened):
    before = use(opened, on_file)
    on_file.kw["bind"].dispose()
    assert use(opened, on_file) is not before
    with pytest.raises(sqlite3.ProgrammingError):
        before.execute("SELECT 1")


def test_an_operation_that_failed_leaves_nothing(keeping, sessions, clock):
    def fail():
        with transaction(keeping) as db:
            change(db, NEW, mark(clock, "one"))
            raise MistakeError

    with pytest.raises(MistakeError):
        fail()
    assert count(transaction, keeping) == 0
    add(sessions, clock, "two")  # and holds no lock
    assert count(looking, keeping) == 1


@OPENED
def test_a_thread_keeps_its_connection_on_a_file(on_file, opened):
    assert use(opened, on_file) is use(opened, on_file) is use(transaction, on_file)
    assert on_file.kw["bind"].pool.checkedout() == 1


@OPENED
def test_nobody_keeps_a_connection_to_a_server(postgresql_url, opened):
    for sessions in build_keeping(postgresql_url):
        use(opened, sessions)
        assert sessions.kw["bind"].pool.checkedout() == 0


@OPENED
def test_a_connection_that_met_an_error_goes_back_to_the_pool(on_file, opened):
    use(opened, on_file)
    with pytest.raises(MistakeError), opened(on_file):
        raise MistakeError
    assert on_file.kw["bind"].pool.checkedout() == 0
    assert count(opened, on_file) == 0


@OPENED
def test_an_engine_that_is_emptied_meanwhile_takes_it_along_too(on_file, opened):
    with opened(on_file) as db:
        fetch_all(db, ALL, {})
        before = db.get_bind().connection.driver_connection
        on_file.kw["bind"].dispose()
    assert use(opened, on_file) is not before
    with pytest.raises(sqlite3.ProgrammingError):
        before.execute("SELECT 1")


@OPENED
def test_an_operation_inside_another_has_its_own(on_file, clock, opened):
    with opened(on_file) as outer:
        mine = outer.get_bind().connection.driver_connection
        assert use(looking, on_file) is not mine
        assert use(reading, on_file) is not mine
        assert len(fetch_all(outer, ALL, {})) == 0
    add(on_file, clock, "one")
    assert count(opened, on_file) == 1
    assert on_file.kw["bind"].pool.checkedout() == 1


@OPENED
def test_a_session_is_of_no_use_after_its_block(keeping, sessions, clock, opened):
    with opened(keeping) as db:
        fetch_all(db, ALL, {})
    for late in (
        lambda: fetch_all(db, ALL, {}),
        lambda: change(db, NEW, mark(clock, "late")),
        lambda: db.execute(ALL),
    ):
        with pytest.raises((SQLAlchemyError, LooksOnlyError)):
            late()
    add(sessions, clock, "one")  # nobody holds a lock
    assert count(opened, keeping) == 1


@OPENED
def test_a_connection_that_somebody_went_on_with_is_not_used_again(on_file, clock, opened):
    with opened(on_file) as db:
        connection = db.get_bind()
        fetch_all(db, ALL, {})
    connection.execute(NEW, mark(clock, "late"))
    assert count(opened, on_file) == 0
    add(on_file, clock, "one")
    assert count(looking, on_file) == 1


@OPENED
def test_what_an_operation_left_open_ends_with_it(on_file, clock, opened):
    """A snapshot that nobody closed would never see what is committed after it."""
    with opened(on_file) as db:
        driver = db.get_bind().connection.driver_connection
        if not driver.in_transaction:
            driver.execute("BEGIN")
        assert driver.execute("SELECT count(*) FROM replay_mark").fetchone() == (0,)
    assert not driver.in_transaction
    add(sessionmaker(on_file.kw["bind"]), clock, "one")
    assert count(looking, on_file) == 1


def test_each_thread_has_its_own_and_there_are_as_many_as_threads(on_file):
    barrier = threading.Barrier(MANY, timeout=30)

    def work():
        used = use(looking, on_file)
        barrier.wait()
        assert use(reading, on_file) is used
        return used

    with ThreadPoolExecutor(MANY) as threads:
        found = [each.result() for each in [threads.submit(work) for _ in range(MANY)]]
    assert len({id(each) for each in found}) == MANY


def test_a_thread_that_ends_gives_its_connection_back(on_file):
    thread = threading.Thread(target=use, args=(looking, on_file))
    thread.start()
    thread.join()
    gc.collect()
    assert on_file.kw["bind"].pool.checkedout() == 0


def test_who_begins_to_listen_hears_every_statement(on_file):
    use(looking, on_file)
    heard = []
    event.listen(on_file.kw["bind"], "before_cursor_execute", lambda *facts: heard.append(facts[2]))
    use(looking, on_file)
    with transaction(on_file) as db:
        db.execute(text("SELECT 1"))
    assert len(heard) == 2
