"""What every test may ask for: a clock, fresh databases on both engines, no network."""

import os
import shutil
import sys

import hypothesis
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from idp.db.engine import configure_engine, engine_options
from tests.chromium import open_chromium
from tests.clock import FrozenClock
from tests.databases import build_schema, build_sqlite_template
from tests.postgres import PostgresCluster, delete_all_rows, name_cluster_folder

LOOPBACK = ("127.", "::1", "localhost")

hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def _refuse_network(event, arguments):
    """Tests talk to this machine only (style.md rule 42)."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
    elif event == "socket.getaddrinfo":
        host = str(arguments[0] or "localhost")
    else:
        return
    if not host.startswith(LOOPBACK):
        raise OSError(f"a test reached for {host}")


def pytest_configure(config):
    """Give the whole run one folder for its PostgreSQL cluster; workers inherit the name."""
    sys.addaudithook(_refuse_network)
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        del os.environ[name]
    if not hasattr(config, "workerinput"):
        os.environ["KOSODATE_TEST_CLUSTER"] = str(name_cluster_folder())
        os.environ["KOSODATE_TEST_PID"] = str(os.getpid())


def pytest_unconfigure(config):
    """Stop what the run started."""
    if not hasattr(config, "workerinput"):
        PostgresCluster.at(os.environ).stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Nothing may be skipped: what cannot run has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"
    return report


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    return build_sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def sqlite_url(sqlite_template, tmp_path):
    path = tmp_path / "idp.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres():
    """The running cluster, for tests that need a database of their own: `create_database()`."""
    cluster = PostgresCluster.at(os.environ)
    cluster.start()
    return cluster


@pytest.fixture(scope="session")
def postgres_database(postgres):
    """This worker's database, with all tables."""
    name = postgres.create_database()
    build_schema(postgres.url(name))
    return name


@pytest.fixture
def postgresql_url(postgres, postgres_database):
    with postgres.connect(postgres_database) as connection:
        delete_all_rows(connection)
    return postgres.url(postgres_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """A fresh database; a test that asks for it runs on SQLite and on PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def engine(database_url):
    engine = create_engine(database_url, **engine_options(database_url, pool_size=20))
    configure_engine(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine):
    """What `transaction()` takes, on both databases."""
    return sessionmaker(engine)


@pytest.fixture
def db(sessions):
    """One open session whose work is forgotten, for tests of a single operation."""
    with sessions() as session:
        yield session


@pytest.fixture(scope="module")
def chromium():
    """The system's Chromium; open profiles with `tests.chromium.open_context`.

    Not for the whole session: while it is open, an event loop runs in this thread, and no test
    could call `asyncio.run`.
    """
    with open_chromium() as browser:
        yield browser
