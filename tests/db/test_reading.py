"""What only reads: nothing it writes stays, and it costs the next one nothing."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, insert, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import sessionmaker

from idp.base.secret import digest
from idp.db.engine import configure_engine, engine_options
from idp.db.rows import fetch_one
from idp.db.session import reading, transaction
from idp.model.grants import ReplayMark

MARKS = ReplayMark.__table__
#: The driver prepares a statement when it meets it for the sixth time.
OFTEN = 8
QUESTION = select(literal("anything").label("answer"))
PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%answer%'")


@pytest.fixture
def one_connection(postgresql_url):
    """Sessions that all share the one connection of their pool."""
    engine = create_engine(postgresql_url, **engine_options(postgresql_url, pool_size=1))
    configure_engine(engine)
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


def test_what_a_reader_writes_by_mistake_does_not_stay(sessions, clock):
    row = {"key_digest": digest("x"), "expires_at": clock() + timedelta(minutes=1)}
    with suppress(DBAPIError), reading(sessions) as db:  # PostgreSQL refuses it at once
        db.execute(insert(MARKS), row)
    with transaction(sessions) as db:
        assert db.execute(select(MARKS)).all() == []


def test_who_writes_after_a_reader_on_its_connection_may(one_connection, clock):
    row = {"key_digest": digest("x"), "expires_at": clock() + timedelta(minutes=1)}
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
