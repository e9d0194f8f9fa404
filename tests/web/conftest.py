"""The provider as an application, with fresh databases and a clock that stands still."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from idp.app import create_app
from idp.base.secret import to_base64url
from idp.db.session import transaction
from idp.model.upkeep import OutboxMessage
from idp.settings.load import build_settings
from idp.web.deps import SERVICES
from tests import factories
from tests.hashers import make_hasher
from tests.web.pages import Browser

ORIGIN = "https://id.kakuu.example.jp"


def settings_for(database_url, **sections):
    """Return settings of an installation behind https; sections may be changed."""
    table = {
        "provider": {"issuer": ORIGIN},
        "database": {"url": database_url},
        "secrets": {
            "master_key": to_base64url(factories.MASTER_KEY),
            "subject_key": to_base64url(factories.SUBJECT_KEY),
            "password_pepper": to_base64url(factories.PEPPER),
        },
        "mail": {"from_address": "noreply@kakuu.example.jp"},
        "limits": {"per_minute": 100_000},
    }
    for name, values in sections.items():
        table[name] = table.get(name, {}) | values
    return build_settings(table, {})


@pytest.fixture
def app(sqlite_url, clock):
    """The whole provider on SQLite."""
    app = create_app(settings_for(sqlite_url), clock)
    app.config["ORIGIN"] = ORIGIN
    # The real hasher at a price that a thousand sign-ins can pay.
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], hasher=make_hasher())
    return app


@pytest.fixture
def services(app):
    return app.extensions[SERVICES]


@pytest.fixture
def sessions(services):
    return services.sessions


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
