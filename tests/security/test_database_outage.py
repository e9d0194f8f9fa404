"""PostgreSQL busy or cut off while people sign in: 503, and back without a restart."""

import pytest

from tests.web.applications import build_app
from tests.web.pages import Browser


@pytest.fixture
def served(postgresql_url, clock):
    """The provider on PostgreSQL with its smallest pool, and that pool's engine."""
    app = build_app(postgresql_url, clock, database={"pool_size": 2})
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    yield Browser(app), engine
    engine.dispose()


def test_ft_02_with_every_connection_taken_others_hear_503_and_health_lives(served):
    browser, engine = served
    assert browser.get("/login").status == 200
    taken = [engine.connect() for _ in range(2)]
    page = browser.get("/continue?i=00000000-0000-7000-8000-000000000000")
    assert (page.status, page.headers["Retry-After"]) == (503, "10")
    assert browser.get("/health/live").status == 200
    for connection in taken:
        connection.close()
    assert browser.get("/login").status == 200
    assert browser.get("/health/ready").status == 200


def test_ft_01_connections_that_were_cut_are_made_anew(served, postgres, postgres_database):
    browser, _engine = served
    assert browser.get("/login").status == 200
    with postgres.connect(postgres_database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert browser.get("/login").status == 200
    assert browser.get("/health/ready").status == 200
