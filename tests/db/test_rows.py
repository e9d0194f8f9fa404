"""Statements below the object mapper keep to the savepoints of the session."""

from datetime import timedelta

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from idp.base.secret import digest
from idp.db.rows import change, fetch_all
from idp.db.session import transaction
from idp.model.grants import ReplayMark

MARKS = ReplayMark.__table__


def test_a_statement_that_fails_in_a_savepoint_spoils_nothing_else(sessions, clock):
    row = {"key_digest": digest("x"), "expires_at": clock() + timedelta(minutes=1)}
    with transaction(sessions) as db:
        change(db, insert(MARKS), row)
        try:
            with db.begin_nested():
                change(db, insert(MARKS), row)
        except IntegrityError:
            change(db, insert(MARKS), row | {"key_digest": digest("y")})
    with transaction(sessions) as db:
        assert len(fetch_all(db, select(MARKS), {})) == 2
