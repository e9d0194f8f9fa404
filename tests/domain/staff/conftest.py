"""A town with a desk, for tests of what staff do."""

import pytest

from idp.domain.staff.desk import Desk, Post
from idp.domain.upkeep.audit import Actor
from tests.factories import make_keyring, make_municipality, make_staff


@pytest.fixture
def now(clock):
    return clock()


@pytest.fixture
def keys():
    return make_keyring()


@pytest.fixture
def post(keys):
    return Post(keys=keys, reset_page_url="https://login.example.jp/password/reset")


@pytest.fixture
def town(db, now):
    return make_municipality(db, now=now)


@pytest.fixture
def clerk(db, town, keys, now):
    return make_staff(db, now=now, keys=keys, municipality_id=town.id, family_name="福祉")


@pytest.fixture
def desk(town, clerk):
    actor = Actor(kind="account", account_id=clerk.id, address="192.0.2.7")
    return Desk(municipality_id=town.id, actor=actor)


@pytest.fixture
def far_desk(db, keys, now):
    """The desk of another town."""
    other = make_municipality(db, now=now, name="隣町")
    clerk = make_staff(db, now=now, keys=keys, municipality_id=other.id)
    return Desk(other.id, Actor(kind="account", account_id=clerk.id))
