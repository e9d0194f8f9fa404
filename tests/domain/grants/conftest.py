"""A municipality with one signed-in mother, a confidential and a public client."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from idp.base.keyring import Keyring
from idp.base.secret import digest
from idp.db.engine import configure_engine, engine_options
from idp.db.session import transaction
from idp.domain.grants.authorization_codes import NewAuthorization, issue_code
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.clients import ClientSecret
from idp.model.people import Door
from idp.protocol import acr, pkce
from tests.factories import (
    make_account,
    make_client,
    make_household,
    make_keyring,
    make_municipality,
)
from tests.signing import install_keys

VERIFIER = "v" * 50
CALLBACK = "https://rp.example/callback"


@dataclass
class World:
    """Ids of what there is, and ways to go on from there."""

    sessions: object
    clock: object
    keys: Keyring
    municipality_id: UUID
    account_id: UUID
    household_id: UUID
    child_ids: tuple
    session_id: UUID

    @property
    def now(self):
        return self.clock()

    def authorize(self, client_id="booking", scope="openid profile", **changes):
        """Issue a code as if the mother had just consented."""
        values = {
            "client_id": client_id,
            "account_id": self.account_id,
            "session_id": self.session_id,
            "household_id": self.household_id,
            "scope": scope,
            "redirect_uri": CALLBACK,
            "code_challenge": pkce.build_challenge(VERIFIER),
            "acr": acr.Acr.MAILED_CODE.value,
            "amr": ("pwd", "otp"),
            "authenticated_at": self.now,
            "is_offline": False,
        }
        with transaction(self.sessions) as db:
            return issue_code(db, NewAuthorization(**(values | changes)), now=self.now)

    def do(self, operation, *arguments, **named):
        """Run one operation in a transaction of its own."""
        with transaction(self.sessions) as db:
            return operation(db, *arguments, **named)

    def one(self, statement):
        """Return the one row a statement finds."""
        with self.sessions() as db:
            return db.scalars(statement).one()

    def all(self, statement):
        """Return everything a statement finds."""
        with self.sessions() as db:
            return db.scalars(statement).all()


def build_world(sessions, clock):
    """Fill an empty database."""
    keys, now = make_keyring(), clock()
    with transaction(sessions) as db:
        install_keys(db, keys=keys, now=now)
        town = make_municipality(db, now=now, shares_children=True)
        mother = make_account(db, now=now, municipality_id=town.id)
        home = make_household(db, now=now, municipality_id=town.id, representative=mother)
        make_client(
            db,
            now=now,
            client_id="booking",
            municipality_id=town.id,
            sector="municipality:990001",
            details={"backchannel_logout_uri": "https://rp.example/logout"},
        )
        db.add(
            ClientSecret(id=mother.id, client_id="booking", digest=digest("s" * 40), created_at=now)
        )
        make_client(
            db,
            now=now,
            client_id="app",
            municipality_id=town.id,
            sector="municipality:990001",
            details={
                "token_endpoint_auth_method": "none",
                "scope": "openid profile email offline_access",
            },
            is_consented=False,
        )
        limits = SessionLimits(idle=timedelta(minutes=60), absolute=timedelta(hours=12))
        started = start_session(
            db,
            NewSession(
                account_id=mother.id,
                door=Door.FAMILY,
                acr=acr.Acr.MAILED_CODE.value,
                amr=("pwd", "otp"),
                device_label="Firefox",
                limits=limits,
                household_id=home.id,
            ),
            now=now,
        )
        return World(
            sessions=sessions,
            clock=clock,
            keys=keys,
            municipality_id=town.id,
            account_id=mother.id,
            household_id=home.id,
            child_ids=home.child_ids,
            session_id=started.session_id,
        )


@pytest.fixture
def world(sessions, clock):
    return build_world(sessions, clock)


@pytest.fixture
def sqlite_world(sqlite_url, clock):
    yield from _on(sqlite_url, clock)


@pytest.fixture
def postgresql_world(postgresql_url, clock):
    yield from _on(postgresql_url, clock)


def _on(url, clock):
    engine = create_engine(url, **engine_options(url, pool_size=20))
    configure_engine(engine)
    yield build_world(sessionmaker(engine), clock)
    engine.dispose()


@pytest.fixture
def rows(sessions):
    """Read every row of a table."""

    def read(table):
        with sessions() as db:
            return db.scalars(select(table)).all()

    return read
