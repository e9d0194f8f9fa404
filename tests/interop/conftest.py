"""The provider on a real port with the real clock, and a mother who signs in elsewhere with it."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from idp.app import build_http
from idp.base.clock import utc_now
from idp.base.ids import new_id
from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.grants.client_signatures import secret_context
from idp.mail.messages import Writer
from idp.mail.transport import MailTransport
from idp.mail.worker import Worker
from idp.model.clients import ClientSecret
from idp.model.upkeep import OutboxKind, OutboxMessage
from idp.web.deps import SERVICES
from tests import factories
from tests.person import Person
from tests.serving import Port, serving
from tests.signing import install_keys
from tests.web.applications import build_app

SECRET = "interop-secret-of-a-good-length-0123"


@dataclass
class Provider:
    """A running provider, and what a test does behind its pages."""

    issuer: str
    sessions: object
    keys: object
    mother: object
    town: object
    #: Delivers what goes to services.
    worker: object

    def register(self, client_id, **details):
        """Register a service; returns its secret."""
        method = details.get("token_endpoint_auth_method")
        sealed = None
        if method == "client_secret_jwt":
            context = secret_context(client_id)
            sealed = self.keys.sealer.seal(SECRET.encode(), context=context)
        with transaction(self.sessions) as db:
            factories.make_client(
                db,
                now=utc_now(),
                client_id=client_id,
                municipality_id=self.town.id,
                details={"scope": "openid profile offline_access", **details},
            )
            db.add(
                ClientSecret(
                    id=new_id(now=utc_now()),
                    client_id=client_id,
                    digest=digest(SECRET),
                    sealed=sealed,
                    created_at=utc_now(),
                )
            )
        return SECRET

    def mailed_code(self):
        """Return the newest code that was mailed."""
        with transaction(self.sessions) as db:
            mails = select(OutboxMessage).where(OutboxMessage.name == "login_code")
            row = db.scalars(mails.order_by(OutboxMessage.created_at.desc())).first()
            context = f"outbox:{row.id}"
            body = self.keys.sealer.unseal(row.sealed_body, context=context)
        return json.loads(body)["facts"]["code"]

    def sign_in(self, person):
        """Fill in what the provider asks until it sends the person back."""
        person.submit("/login", login_id=self.mother.login_id, password=factories.PASSWORD)
        assert person.path == "/login/code", person.page.text
        person.submit("/login/code", code=self.mailed_code())

    def sign_in_with(self, page):
        """Do the same in a real browser, which stands at the provider already or soon."""
        page.wait_for_url(f"{self.issuer}/login**")
        page.fill("[name=login_id]", self.mother.login_id)
        page.fill("[name=password]", factories.PASSWORD)
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url(f"{self.issuer}/login/code**")
        page.fill("[name=code]", self.mailed_code())
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_load_state()
        if urlsplit(page.url).path == "/consent":
            page.click("button[name=decision][value=allow]")

    def sign_out_with(self, page):
        """Sign out on the provider's own page, in whatever tab this is."""
        page.goto(f"{self.issuer}/logout")
        page.click("main button[value=logout]")
        page.wait_for_url(f"{self.issuer}/signed-out")


@pytest.fixture
def port():
    port = Port()
    yield port
    port.close()


@pytest.fixture
def tokens():
    """What the operator has set about tokens; a test may set something else."""
    return {}


@pytest.fixture
def app(sqlite_url, port, tokens):
    return build_app(
        sqlite_url,
        utc_now,
        provider={"issuer": port.origin},
        dev={"allow_http": True},
        tokens=tokens,
    )


def build_worker(app, sessions, issuer):
    """Return the worker that calls services; mails stay in the outbox, where tests read them."""
    services = app.extensions[SERVICES]
    return Worker(
        sessions=sessions,
        clock=utc_now,
        keys=services.keys,
        issuer=issuer,
        writer=Writer(texts=services.texts, templates=app.jinja_env, issuer=issuer),
        transport=MailTransport(app, services.settings.mail),
        http=build_http(services.settings),
        upkeep=lambda: None,
        per_minute=100,
        kinds=frozenset(OutboxKind) - {OutboxKind.MAIL},
    )


@pytest.fixture
def provider(app, port):
    services = app.extensions[SERVICES]
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    sessions = sessionmaker(engine, expire_on_commit=False)
    with transaction(sessions) as db:
        now = utc_now()
        install_keys(db, keys=services.keys, now=now)
        town = factories.make_municipality(db, now=now)
        mother = factories.make_account(
            db, now=now, municipality_id=town.id, hasher=services.hasher
        )
        factories.make_household(db, now=now, municipality_id=town.id, representative=mother)
    with serving(app, port) as origin:
        yield Provider(
            issuer=origin,
            sessions=sessions,
            keys=services.keys,
            mother=mother,
            town=town,
            worker=build_worker(app, sessions, origin),
        )
    engine.dispose()


@pytest.fixture
def person():
    person = Person()
    yield person
    person.close()
