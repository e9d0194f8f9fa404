"""Where the outgoing client goes, and where it never goes (protocol.md §5)."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from idp.base.http import MAX_BYTES, FetchError, HttpClient

REFUSED = (
    "http://example.jp/keys",
    "http://127.0.0.1/keys",
    "https://127.0.0.1/keys",
    "https://localhost/keys",
    "https://localhost./keys",
    "https://0.0.0.0/keys",
    "https://[::1]/keys",
    "https://[::ffff:127.0.0.1]/keys",
    "https://169.254.169.254/latest",
    "https://[fd00::1]/keys",
    "https://[fe80::1]/keys",
    "https://10.1.2.3/keys",
    "https://100.64.0.1/keys",
    "https://[64:ff9b::7f00:1]/keys",
    "https://2130706433/keys",
    "https://0x7f000001/keys",
    "https://017700000001/keys",
    "file:///etc/passwd",
    "gopher://example.jp/",
    "ftp://example.jp/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "https://user:pw@example.jp/",
    "https://example.jp/\n",
    "https://exa mple.jp/",
    "https:///keys",
)


@pytest.mark.parametrize("url", REFUSED)
def test_sr_02_sr_03_no_call_leaves_for_such_an_address(url):
    with pytest.raises(FetchError) as caught:
        HttpClient(timeout_seconds=2).get(url)
    assert caught.value.reason in {"url", "address"}


@pytest.mark.parametrize(
    ("address", "is_called"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.0", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
    ],
)
def test_sr_02_private_networks_are_called_only_where_the_operator_names_them(address, is_called):
    client = HttpClient(timeout_seconds=1, allowed_networks=("10.1.0.0/16", "169.254.0.0/16"))
    assert client.may_call(address) is is_called
    assert not HttpClient(timeout_seconds=1).may_call(address)


@pytest.mark.parametrize(
    ("networks", "reason"), [(("127.0.0.0/8",), "connection"), ((), "address")]
)
def test_sr_02_a_call_goes_as_far_as_the_operator_lets_it(networks, reason):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = HttpClient(timeout_seconds=1, allowed_networks=networks)
    with pytest.raises(FetchError) as caught:
        client.get(f"https://127.0.0.1:{port}/keys")
    assert caught.value.reason == reason


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        getattr(self, f"answer_{self.path.strip('/').split('?')[0]}")()

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.posted.append(self.rfile.read(length))
        self.send(b"", 204)

    def send(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_small(self):
        self.send(self.headers["Host"].encode())

    def answer_redirect(self):
        self.send(b"", 302, Location="/small")

    def answer_large(self):
        self.send(b"x" * (MAX_BYTES + 1))

    def answer_full(self):
        self.send(b"x" * MAX_BYTES)

    def answer_drip(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                return
            if self.server.stop.wait(0.1):
                return

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.posted = []
    server.stop = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(server):
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def client():
    return HttpClient(timeout_seconds=1, allow_loopback=True)


def test_a_small_answer_is_read(client, address):
    answer = client.get(f"{address}/small")
    assert (answer.status, answer.body) == (200, address.removeprefix("http://").encode())


def test_v15_3_2_a_redirect_is_not_followed(client, address):
    assert client.get(f"{address}/redirect").status == 302


def test_sr_04_at_most_64_kilobytes_are_read(client, address):
    assert len(client.get(f"{address}/full").body) == MAX_BYTES
    with pytest.raises(FetchError, match="too_large"):
        client.get(f"{address}/large")


def test_sr_04_a_dripping_answer_is_given_up(client, address):
    with pytest.raises(FetchError, match="timeout"):
        client.get(f"{address}/drip")


def test_a_form_is_posted(client, server, address):
    assert client.post_form(f"{address}/call", {"logout_token": "a.b.c"}).status == 204
    assert server.posted == [b"logout_token=a.b.c"]


def test_nobody_there_is_said_so(client, address, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(FetchError, match="connection"):
        client.get(f"{address}/small")
