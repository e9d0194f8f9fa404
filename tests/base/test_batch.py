"""Several documents share one deadline, and each address is asked once."""

import socket
import threading
from dataclasses import replace

import pytest

from idp.base.batch import BatchReader, OutOfTimeError
from idp.base.http import BATCH_SECONDS, FetchError, HttpClient
from tests.serving import Port, serving

HTTP = HttpClient(timeout_seconds=5, allow_loopback=True)


@pytest.fixture
def origin():
    """A server that answers at /quick, and at /slow not before the end of the test."""
    stop = threading.Event()
    asked = []

    def answer(environ, start_response):
        asked.append(environ["PATH_INFO"])
        if environ["PATH_INFO"].startswith("/slow"):
            stop.wait(30)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    with serving(answer, Port()) as origin:
        yield origin, asked
        stop.set()


def test_an_address_is_asked_once(origin):
    address, asked = origin
    reader = BatchReader(HTTP)
    bodies = [reader.get(f"{address}/{name}").body for name in ("quick", "quick/2", "quick")]
    assert bodies == [b"/quick", b"/quick/2", b"/quick"]
    assert asked == ["/quick", "/quick/2"]


def test_a_server_that_is_away_is_asked_once(origin):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    reader = BatchReader(HTTP)
    for _ in range(2):
        with pytest.raises(FetchError, match="connection"):
            reader.get(f"http://127.0.0.1:{port}/")


def test_one_that_hangs_costs_its_own_time_while_there_is_some(origin):
    address, asked = origin
    reader = BatchReader(replace(HTTP, timeout_seconds=1.5))
    with pytest.raises(FetchError, match="timeout"):
        reader.get(f"{address}/slow")
    assert reader.get(f"{address}/quick").status == 200
    assert asked == ["/slow", "/quick"]


def test_sr_04_all_of_them_together_take_no_longer_than_one_deadline(origin):
    address, asked = origin
    reader = BatchReader(replace(HTTP, batch_seconds=1.5))
    for path in ("slow", "quick"):
        with pytest.raises(OutOfTimeError):
            reader.get(f"{address}/{path}")
    assert asked == ["/slow"]


def test_the_deadline_ends_before_a_proxy_gives_up():
    assert HttpClient(timeout_seconds=10).batch_seconds == BATCH_SECONDS < 30
