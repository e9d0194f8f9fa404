"""A family in a town, for tests of what people are and may do."""

import pytest
from sqlalchemy import text

from idp.domain.upkeep.audit import Actor
from idp.model.households import MembershipRole
from tests.factories import (
    make_account,
    make_household,
    make_keyring,
    make_member,
    make_municipality,
)


@pytest.fixture
def somebody_waits(sessions):
    """Tell whether somebody waits for a row that another transaction holds.

    On SQLite a writing transaction holds the whole database, so whoever comes waits.
    """

    def run():
        with sessions() as db:
            if db.get_bind().dialect.name == "sqlite":
                return True
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return bool(db.scalar(text(f"{waiting} AND datname = current_database()")))

    return run


@pytest.fixture
def now(clock):
    return clock()


@pytest.fixture
def keys():
    return make_keyring()


@pytest.fixture
def town(db, now):
    return make_municipality(db, now=now)


@pytest.fixture
def mother(db, town, now):
    return make_account(db, now=now, municipality_id=town.id)


@pytest.fixture
def home(db, town, mother, now):
    return make_household(db, now=now, municipality_id=town.id, representative=mother)


@pytest.fixture
def father(db, town, now):
    return make_account(db, now=now, municipality_id=town.id, given_name="健")


@pytest.fixture
def delegation(db, home, father, now):
    return make_member(db, household_id=home.id, account=father, role=MembershipRole.PROXY, now=now)


@pytest.fixture
def by_mother(mother):
    return Actor(kind="account", account_id=mother.id, address="192.0.2.1")
