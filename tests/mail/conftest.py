"""A worker over real SMTP, with fresh databases."""

import pytest
from flask import Flask
from jinja2 import Environment, FileSystemLoader

from idp.app import TEMPLATES
from idp.base.http import HttpClient
from idp.base.texts import load_texts
from idp.db.session import transaction
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.mail.messages import Writer
from idp.mail.transport import MailTransport
from idp.mail.worker import Worker
from idp.settings.schema import MailSettings
from tests import factories

ISSUER = "https://login.kakuu.example"


def mail_settings(port, **changes):
    values = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "from_address": "no-reply@login.kakuu.example",
        "timeout_seconds": 2,
    }
    return MailSettings(**values | changes)


@pytest.fixture(scope="session")
def writer():
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return Writer(texts=load_texts(TEMPLATES / "texts"), templates=environment, issuer=ISSUER)


@pytest.fixture
def keys():
    return factories.make_keyring()


@pytest.fixture
def make_worker(sessions, clock, keys, writer):
    def make(port, **changes):
        return Worker(
            sessions=sessions,
            clock=clock,
            keys=keys,
            issuer=ISSUER,
            writer=writer,
            transport=MailTransport(Flask("test"), mail_settings(port, **changes)),
            http=HttpClient(timeout_seconds=2),
            upkeep=lambda: None,
            per_minute=100,
        )

    return make


@pytest.fixture
def person(sessions, clock):
    with transaction(sessions) as db:
        town = factories.make_municipality(db, now=clock())
        return factories.make_account(
            db, now=clock(), municipality_id=town.id, email="misaki.sakura@example.jp"
        )


@pytest.fixture
def post(sessions, clock, keys, person):
    """Put a mail to the person into the outbox."""

    def run(name="login_code", facts=None, **more):
        mail = Mail(name, person.id, facts or {"code": "042042", "minutes": 10}, **more)
        with transaction(sessions) as db:
            enqueue_mail(db, mail, keys=keys, now=clock())

    return run
