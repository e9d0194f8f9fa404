"""People, walks and races for the tests of the sign-in."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.db.session import transaction
from idp.domain.signin import interactions
from idp.domain.signin.setup import Setup
from idp.domain.signin.visitors import Visitor
from tests import factories
from tests.hashers import make_hasher


@pytest.fixture
def keys():
    return factories.make_keyring()


@pytest.fixture
def setup(keys):
    return Setup(keys=keys)


@pytest.fixture
def visitor():
    return Visitor(address="192.0.2.7", network="192.0.2.7", label="Safari (iPhone)")


@pytest.fixture
def town(sessions, clock):
    with transaction(sessions) as db:
        return factories.make_municipality(db, now=clock())


@pytest.fixture(scope="session")
def hasher():
    return make_hasher()


@pytest.fixture
def mother(sessions, clock, town, hasher):
    with transaction(sessions) as db:
        return factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            email="misaki.sakura@example.jp",
            hasher=hasher,
        )


@pytest.fixture
def open_walk(sessions, clock):
    """Open a walk to the home page, or what the arguments say; return it as found again."""

    def run(browser_token=None, **columns):
        wanted = interactions.NewInteraction(**({"purpose": interactions.HOME} | columns))
        with transaction(sessions) as db:
            opened = interactions.open_interaction(
                db, wanted, browser_token=browser_token, now=clock()
            )
            return interactions.find_walk(db, opened.id, opened.browser_token, now=clock())

    return run


@pytest.fixture
def race():
    """Run one function in many threads that start at the same moment; return what each got."""

    def run(count, function):
        gate = threading.Barrier(count)

        def start(number):
            gate.wait()
            return function(number)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(start, range(count)))

    return run
