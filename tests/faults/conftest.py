"""The real server in processes of its own, and the faults that may befall it."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from idp.base.clock import utc_now
from idp.db.engine import configure_engine, engine_options
from tests.domain.grants.conftest import build_world
from tests.races.conftest import Answer, write_settings
from tests.races.test_one_winner import BASIC, FORM, redeem_form
from tests.serving import Port, wait_for_port


@dataclass
class Server:
    """`idp serve` on a port, started and ended as often as a test likes."""

    config: object
    port: int
    log: object
    process: object = None

    def start(self, **options):
        command = (sys.executable, "-m", "idp.cli.main", "--config", str(self.config), "serve")
        streams = {"stdout": self.log, "stderr": self.log} | options
        self.process = subprocess.Popen(command, **streams)
        wait_for_port(self.port, self.process, seconds=60)
        return self.process

    def end(self):
        """Ask it to stop, as a supervisor does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def workers(self):
        """Return the ids of the processes that serve."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            found = [int(pid) for pid in children.read_text().split()]
        except FileNotFoundError:
            return []
        return [pid for pid in found if b"resource_tracker" not in _command(pid)]

    def call(self, method, target, *, body=None, headers=None, seconds=20):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            cookies = tuple(answer.headers.get_all("Set-Cookie", ()))
            location = answer.getheader("Location", "")
            return Answer(answer.status, location, answer.read(), cookies)
        finally:
            connection.close()

    def redeem(self, code):
        return self.call("POST", "/token", body=redeem_form(code), headers=BASIC)

    def redeem_for_app(self, code):
        return self.call("POST", "/token", body=redeem_form(code, client_id="app"), headers=FORM)

    def refresh_app(self, token):
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"}
        return self.call("POST", "/token", body=urlencode(form), headers=FORM)

    def introspect(self, token):
        body = urlencode({"token": token})
        return self.call("POST", "/introspect", body=body, headers=BASIC).json()


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b"resource_tracker"


@contextmanager
def made_server(folder, url, *, port=None, issuer=None):
    """Write the settings of a server; it is not started yet."""
    held = Port()
    number = port or held.number
    held.close()
    config = write_settings(folder, url, number, issuer or f"http://127.0.0.1:{number}")
    with (folder / f"log-{number}").open("w") as log:
        server = Server(config, number, log)
        try:
            yield server
        finally:
            if server.process is not None and server.process.poll() is None:
                server.end()


@contextmanager
def made_world(url):
    engine = create_engine(url, **engine_options(url, pool_size=5))
    configure_engine(engine)
    try:
        yield build_world(sessionmaker(engine), utc_now)
    finally:
        engine.dispose()


@pytest.fixture
def world(database_url):
    with made_world(database_url) as found:
        yield found


@pytest.fixture
def server(database_url, world, tmp_path):
    """A server on a town's database, running."""
    with made_server(tmp_path, database_url) as made:
        made.start()
        yield made
