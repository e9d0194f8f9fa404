"""The provider as an application, with fresh databases and a clock that stands still."""

import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from idp.db.session import transaction
from idp.model.upkeep import OutboxMessage
from idp.web.deps import SERVICES
from tests import factories
from tests.web.applications import build_app
from tests.web.pages import Browser


@pytest.fixture
def app(sqlite_url, clock):
    """The whole provider on SQLite."""
    return build_app(sqlite_url, clock)


@pytest.fixture
def services(app):
    return app.extensions[SERVICES]


@pytest.fixture
def sessions(app):
    """Sessions on the application's own engine, for the test's side: no request is needed."""
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


@pytest.fixture
def keys(services):
    return services.keys


@pytest.fixture
def hasher(services):
    return services.hasher


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def town(sessions, clock):
    with transaction(sessions) as db:
        return factories.make_municipality(db, now=clock())


@pytest.fixture
def mother(sessions, clock, town, hasher):
    """A guardian who has agreed to nothing yet and can sign in."""
    with transaction(sessions) as db:
        return factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            email="misaki.sakura@example.jp",
            hasher=hasher,
        )


@pytest.fixture
def newcomer(sessions, clock, town):
    """Somebody who has no password yet, and a child whose birthdate she knows."""
    with transaction(sessions) as db:
        return factories.make_newcomer(db, now=clock(), municipality_id=town.id)


@pytest.fixture
def mailbox(sessions, keys):
    """Return (name, facts) of every mail in the outbox, the oldest first."""

    def run(name=None):
        with transaction(sessions) as db:
            rows = db.scalars(
                select(OutboxMessage).order_by(OutboxMessage.created_at, OutboxMessage.id)
            ).all()
            found = [
                (
                    row.name,
                    json.loads(keys.sealer.unseal(row.sealed_body, context=f"outbox:{row.id}"))[
                        "facts"
                    ],
                )
                for row in rows
                if row.kind == "mail" and row.sealed_body is not None
            ]
        return [each for each in found if name in {None, each[0]}]

    return run
