"""`idp worker` as a process: it mails and calls at the same time, and ends when it is told to."""

import queue
import signal
import subprocess
import sys
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from idp.base.clock import utc_now
from idp.base.secret import to_base64url
from idp.db.engine import configure_engine
from idp.db.session import transaction
from idp.domain.upkeep.outbox import (
    BackchannelLogout,
    Mail,
    enqueue_backchannel_logout,
    enqueue_mail,
)
from tests import factories
from tests.mail.servers import smtp_server
from tests.serving import Port, serving
from tests.signing import install_keys


class Postbox:
    """Takes mails, and tells whoever waits for one."""

    def __init__(self):
        self.mails = queue.Queue()

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the library's name
        self.mails.put(envelope.rcpt_tos)
        return "250 OK"


@contextmanager
def service():
    """Run a service; yield its address and the calls as they come."""
    calls = queue.Queue()

    def app(environ, start_response):
        calls.put(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK", [])
        return [b""]

    with serving(app, Port()) as origin:
        yield f"{origin}/backchannel", calls


@pytest.fixture
def outbox(database_url):
    """Put a mail and a logout call into the outbox of a provider."""
    engine = create_engine(database_url)
    configure_engine(engine)

    def fill(address):
        now, keys = utc_now(), factories.make_keyring()
        with transaction(sessionmaker(engine)) as db:
            install_keys(db, keys=keys, now=now)
            town = factories.make_municipality(db, now=now)
            person = factories.make_account(
                db, now=now, municipality_id=town.id, email="misaki@example.jp"
            )
            details = {"backchannel_logout_uri": address}
            factories.make_client(db, now=now, client_id="booking", details=details)
            mail = Mail("login_code", person.id, {"code": "042042", "minutes": 10})
            enqueue_mail(db, mail, keys=keys, now=now)
            ended = BackchannelLogout("booking", uuid4(), person.id)
            enqueue_backchannel_logout(db, ended, keys=keys, now=now)

    yield fill
    engine.dispose()


def write_settings(path, url, port):
    names = ("master_key", "subject_key", "password_pepper")
    values = (factories.MASTER_KEY, factories.SUBJECT_KEY, factories.PEPPER)
    secrets = "\n".join(
        f'{name} = "{to_base64url(value)}"' for name, value in zip(names, values, strict=True)
    )
    path.write_text(
        f"""
        [provider]
        issuer = "http://127.0.0.1:9"
        [dev]
        allow_http = true
        [database]
        url = "{url}"
        [secrets]
        {secrets}
        [mail]
        host = "127.0.0.1"
        port = {port}
        security = "none"
        from_address = "no-reply@login.kakuu.example"
        """,
        encoding="utf-8",
    )


def test_sr_06_the_worker_mails_and_calls_and_ends_at_the_signal(database_url, outbox, tmp_path):
    postbox = Postbox()
    with smtp_server(postbox) as port, service() as (address, calls):
        outbox(address)
        write_settings(tmp_path / "provider.toml", database_url, port)
        command = (sys.executable, "-m", "idp.cli.main", "--config", tmp_path / "provider.toml")
        worker = subprocess.Popen([*map(str, command), "worker"])
        try:
            assert postbox.mails.get(timeout=30) == ["misaki@example.jp"]
            assert calls.get(timeout=30).startswith(b"logout_token=")
        finally:
            worker.send_signal(signal.SIGTERM)
            ended = worker.wait(timeout=30)
    assert ended == 0
