"""Two processes of the real server on one database, and requests that reach both together."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Barrier

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from idp.base.clock import utc_now
from idp.base.secret import to_base64url
from idp.db.engine import configure_engine, engine_options
from tests import factories
from tests.domain.grants.conftest import build_world
from tests.serving import Port, wait_for_port

#: How often every race is run.
RACES = 20
#: Requests that run at once, half of them at each process.
RUNNERS = 4


@dataclass(frozen=True)
class Answer:
    """What one process said to one request."""

    status: int
    location: str
    body: bytes
    cookies: tuple[str, ...]

    def json(self):
        return json.loads(self.body)


class Servers:
    """Both processes; calls go to one of them, races to both."""

    def __init__(self, ports, world):
        self.ports = ports
        self.world = world
        self._runners = ThreadPoolExecutor(RUNNERS)

    def call(self, method, target, *, body=None, headers=None, number=0):
        connection = HTTPConnection("127.0.0.1", self.ports[number % len(self.ports)], timeout=20)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(
                answer.status,
                answer.getheader("Location", ""),
                answer.read(),
                tuple(answer.headers.get_all("Set-Cookie", ())),
            )
        finally:
            connection.close()

    def race(self, method, target, **request):
        """Send the same request several times at once; return every answer."""
        return self.race_each(method, target, [request] * RUNNERS)

    def race_each(self, method, target, requests):
        """Send several requests at once, as many as there are runners; return every answer."""
        start = Barrier(RUNNERS)

        def run(number):
            start.wait(timeout=20)
            return self.call(method, target, number=number, **requests[number])

        return list(self._runners.map(run, range(RUNNERS)))

    def close(self):
        self._runners.shutdown()


def write_settings(folder, url, port, issuer):
    secrets = {
        "master_key": factories.MASTER_KEY,
        "subject_key": factories.SUBJECT_KEY,
        "password_pepper": factories.PEPPER,
    }
    table = {
        "provider": {"issuer": issuer},
        "server": {"port": port, "workers": 1, "worker": False},
        "database": {"url": url},
        "secrets": {name: to_base64url(value) for name, value in secrets.items()},
        "mail": {"from_address": "noreply@kakuu.example.jp"},
        "dev": {"allow_http": True},
    }
    path = folder / f"config-{port}.toml"
    path.write_text(
        "\n".join(
            f"[{section}]\n" + "\n".join(f"{key} = {json.dumps(v)}" for key, v in values.items())
            for section, values in table.items()
        )
    )
    return path


@contextmanager
def running_server(folder, url, port, issuer):
    settings = write_settings(folder, url, port, issuer)
    command = (sys.executable, "-m", "idp.cli.main", "--config", str(settings), "serve")
    with (folder / f"log-{port}").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def servers(database_url, tmp_path):
    """A town in a fresh database, and two server processes on it."""
    engine = create_engine(database_url, **engine_options(database_url, pool_size=5))
    configure_engine(engine)
    world = build_world(sessionmaker(engine), utc_now)
    ports = [Port(), Port()]
    numbers = [port.number for port in ports]
    for port in ports:
        port.close()
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        issuer = f"http://127.0.0.1:{numbers[0]}"
        started = [
            stack.enter_context(running_server(tmp_path, database_url, number, issuer))
            for number in numbers
        ]
        for number, process in zip(numbers, started, strict=True):
            wait_for_port(number, process, seconds=60)
        found = Servers(numbers, world)
        stack.callback(found.close)
        yield found
