"""What only reads: nothing it writes stays, and it costs the next one nothing."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, insert, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import sessionmaker

from idp.base.secret import digest
from idp.db.engine import configure_engine, engine_options
from idp.db.rows import LooksOnlyError, change, fetch_all, fetch_one
from idp.db.session import looking, reading, transaction
from idp.model.grants import ReplayMark

MARKS = ReplayMark.__table__
#: The driver prepares a statement when it meets it for the sixth time.
OFTEN = 8
QUESTION = select(literal("anything").label("answer"))
PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%answer%'")


@pytest.fixture
def row(clock):
    return {"key_digest": digest("x"), "expires_at": clock() + timedelta(minutes=1)}


@pytest.fixture
def one_connection(postgresql_url):
    """Sessions that all share the one connection of their pool."""
    engine = create_engine(postgresql_url, **engine_options(postgresql_url, pool_size=1))
    configure_engine(engine)
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


def test_what_a_reader_writes_by_mistake_does_not_stay(sessions, row):
    with suppress(DBAPIError), reading(sessions) as db:  # PostgreSQL refuses it at once
        db.execute(insert(MARKS), row)
    with transaction(sessions) as db:
        assert db.execute(select(MARKS)).all() == []


def test_who_writes_after_a_reader_on_its_connection_may(one_connection, row):
    for number in range(2):
        with reading(one_connection) as db:
            db.execute(select(MARKS)).all()
        with transaction(one_connection) as db:
            db.execute(insert(MARKS), row | {"key_digest": digest(str(number))})
    with reading(one_connection) as db:
        assert len(db.execute(select(MARKS)).all()) == 2


def test_a_reader_leaves_what_the_driver_has_prepared(one_connection):
    """A ROLLBACK would make it forget, and the server would plan each statement anew."""
    for _ in range(OFTEN):
        with reading(one_connection) as db:
            fetch_one(db, QUESTION, {})
    with reading(one_connection) as db:
        assert db.scalar(PREPARED) == 1


def in_transaction(db):
    """Tell whether the database itself has one open."""
    driver = db.connection().connection.driver_connection
    if db.get_bind().dialect.name == "sqlite":
        return driver.in_transaction
    return driver.info.transaction_status.name != "IDLE"


def test_who_looks_has_no_transaction_open_between_two_statements(sessions):
    with looking(sessions) as db:
        assert fetch_one(db, QUESTION, {}).answer == "anything"
        assert not in_transaction(db)
        assert db.scalar(select(literal(1))) == 1
        assert not in_transaction(db)
    with reading(sessions) as db:
        fetch_one(db, QUESTION, {})
        assert in_transaction(db)


def test_who_looks_sees_what_was_committed_in_between(sessions, row):
    with looking(sessions) as db:
        assert fetch_all(db, select(MARKS), {}) == []
        with transaction(sessions) as other:
            change(other, insert(MARKS), row)
        assert len(fetch_all(db, select(MARKS), {})) == 1


def test_who_looks_cannot_change_anything(sessions, row):
    with looking(sessions) as db, pytest.raises(LooksOnlyError):
        change(db, insert(MARKS), row)
    with looking(sessions) as db:
        db.add(ReplayMark(**row))
        assert db.scalars(select(ReplayMark)).all() == []
    with reading(sessions) as db:
        assert db.execute(select(MARKS)).all() == []


@pytest.mark.parametrize("fetch", [fetch_one, fetch_all])
def test_who_looks_cannot_change_anything_by_asking_for_rows(sessions, row, fetch):
    returning = insert(MARKS).returning(MARKS.c.key_digest)
    with looking(sessions) as db, pytest.raises(LooksOnlyError):
        fetch(db, returning, row)
    with transaction(sessions) as db:
        assert fetch(db, returning, row)
    with looking(sessions) as db:
        assert fetch_one(db, select(MARKS), {}).key_digest == digest("x")


def test_who_reads_sees_one_moment(sessions, row):
    with reading(sessions) as db:
        assert fetch_all(db, select(MARKS), {}) == []
        with transaction(sessions) as other:
            change(other, insert(MARKS), row)
        assert fetch_all(db, select(MARKS), {}) == []
    with reading(sessions) as db:
        assert len(fetch_all(db, select(MARKS), {})) == 1


@pytest.mark.parametrize("failure", [False, True])
def test_after_a_look_the_same_connection_is_as_before(one_connection, row, failure):
    with suppress(LookupError), looking(one_connection) as db:
        fetch_one(db, QUESTION, {})
        if failure:
            raise LookupError
    with suppress(LookupError), transaction(one_connection) as db:
        change(db, insert(MARKS), row)
        raise LookupError
    with reading(one_connection) as db:
        assert db.execute(select(MARKS)).all() == []


def test_plans_outlive_a_look(one_connection):
    for _ in range(OFTEN):
        with looking(one_connection) as db:
            fetch_one(db, QUESTION, {})
    with looking(one_connection) as db:
        assert db.scalar(PREPARED) == 1
