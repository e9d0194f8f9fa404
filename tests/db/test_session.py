"""What a transaction commits: all of it, or nothing."""

from contextlib import suppress

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from idp.base.ids import new_id
from idp.db.rows import change
from idp.db.session import UnfinishedTransactionError, transaction
from idp.model.people import TotpCredential
from idp.model.upkeep import AuditEvent


def write(db, name, *, now):
    """Write a row as the hot paths do, below the session."""
    values = {"id": new_id(now=now), "at": now, "name": name, "actor_kind": "system"}
    change(db, AuditEvent.__table__.insert(), values)


def names(sessions):
    with sessions() as db:
        return sorted(db.scalars(select(AuditEvent.name)))


def break_a_rule(db, *, now):
    """Let the database refuse a row: nobody has this account."""
    db.add(
        TotpCredential(
            account_id=new_id(now=now), sealed_seed=b"x", created_at=now, last_timecode=0
        )
    )
    db.flush()


def test_a_swallowed_error_of_the_database_is_no_success(sessions, clock):
    with pytest.raises(UnfinishedTransactionError):
        _swallow(sessions, now=clock())
    assert names(sessions) == []


def _swallow(sessions, *, now):
    with transaction(sessions) as db:
        write(db, "before", now=now)
        with suppress(IntegrityError):
            break_a_rule(db, now=now)


def test_what_is_written_after_a_swallowed_error_is_not_committed(sessions, clock):
    with pytest.raises(UnfinishedTransactionError):
        _swallow_and_go_on(sessions, now=clock())
    assert names(sessions) == []


def _swallow_and_go_on(sessions, *, now):
    with transaction(sessions) as db:
        with suppress(IntegrityError):
            break_a_rule(db, now=now)
        write(db, "after", now=now)


def test_an_error_within_a_savepoint_is_forgotten_with_it(sessions, clock):
    now = clock()
    with transaction(sessions) as db:
        write(db, "before", now=now)
        with suppress(IntegrityError), db.begin_nested():
            break_a_rule(db, now=now)
        write(db, "after", now=now)
    assert names(sessions) == ["after", "before"]


def test_an_error_that_is_raised_through_undoes_everything(sessions, clock):
    with pytest.raises(IntegrityError):
        _fail(sessions, now=clock())
    assert names(sessions) == []


def _fail(sessions, *, now):
    with transaction(sessions) as db:
        write(db, "before", now=now)
        break_a_rule(db, now=now)
