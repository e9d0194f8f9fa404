"""A call ends at its deadline, whatever the other side drips and however it ends (SR-04)."""

import socket
import ssl
import threading
from contextlib import closing, suppress

import pytest

from idp.base.http import FetchError, HttpClient
from tests.domain.grants.test_fetched_keys import make_certificate

STATUS = b"HTTP/1.1 200 OK\r\n"
#: What is sent at once, and what then comes byte by byte.
DRIPS = {
    "status": (b"", b"HTTP/1.1 200 "),
    "head": (STATUS + b"X-Drip: ", b"x"),
    "fields": (STATUS, b"X: y\r\n"),
    "body": (STATUS + b"Content-Length: 100000\r\n\r\n", b"x"),
    "body_without_length": (STATUS + b"\r\n", b"x"),
    "chunks": (STATUS + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


class Dripping:
    """A server that never comes to an end by itself, over TLS if it has a certificate."""

    def __init__(self, start, drop, context=None):
        self.start, self.drop, self.context = start, drop, context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.stop = threading.Event()
        self.gone = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        scheme = "https" if context else "http"
        self.url = f"{scheme}://localhost:{self.listener.getsockname()[1]}/"

    def serve(self):
        with suppress(OSError), closing(self.accept()) as connection:
            connection.recv(4096)
            connection.sendall(self.start)
            for _ in range(1000):
                for place in range(len(self.drop)):
                    connection.sendall(self.drop[place : place + 1])
                    if self.stop.wait(0.02):
                        return
        self.gone.set()

    def accept(self):
        connection = self.listener.accept()[0]
        if self.context is None:
            return connection
        return self.context.wrap_socket(connection, server_side=True)

    def close(self):
        self.stop.set()
        self.thread.join()
        self.listener.close()


@pytest.fixture(params=DRIPS)
def drip(request):
    return DRIPS[request.param]


def test_sr_04_what_drips_in_plain_is_cut_off(drip):
    with closing(Dripping(*drip)) as server:
        with pytest.raises(FetchError, match="timeout"):
            HttpClient(timeout_seconds=1, allow_loopback=True).get(server.url)
        assert server.gone.wait(10)


def test_sr_04_what_drips_over_tls_is_cut_off(drip, tmp_path):
    authority, certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    http = HttpClient(
        timeout_seconds=1.5,
        ca_file=str(authority),
        allowed_networks=("127.0.0.0/8", "::1/128"),
    )
    with closing(Dripping(*drip, context)) as server:
        with pytest.raises(FetchError, match="timeout"):
            http.get(server.url)
        assert server.gone.wait(10)


def test_an_answer_that_comes_in_time_is_not_cut():
    """Until the deadline it may drip."""
    start, drop = STATUS + b"Content-Length: 3\r\n\r\n", b"x"
    with closing(Dripping(start, drop)) as server:
        answer = HttpClient(timeout_seconds=10, allow_loopback=True).get(server.url)
    assert answer.body == b"xxx"


def test_without_a_thread_to_end_it_no_call_is_made(monkeypatch):
    """The machine refuses threads as Linux does, with RuntimeError."""

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    with closing(Dripping(STATUS, b"x")) as server:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(FetchError, match="connection"):
            HttpClient(timeout_seconds=10, allow_loopback=True).get(server.url)
        monkeypatch.undo()
        socket.create_connection(("127.0.0.1", server.listener.getsockname()[1])).close()
