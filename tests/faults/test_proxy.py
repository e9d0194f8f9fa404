"""The proxy of deploy/nginx in front of the real server: slow strangers, and a rolling restart."""

import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest

from tests.domain.grants.test_fetched_keys import make_certificate
from tests.faults.conftest import made_server, made_world
from tests.serving import Port, wait_for_port

DOCUMENTED = Path(__file__).parents[2] / "deploy/nginx/kosodate-id.conf"
HOST = "localhost"
SLOW = 200
#: Every address of 127.0.0.0/8 is this machine: other people come from another one.
STRANGER, PERSON = "127.0.0.66", "127.0.0.7"
FRAME = """
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/kosodate-id.conf;
}}
"""


class Proxy:
    """nginx with the documented settings, on ports of this test."""

    def __init__(self, folder, backends):
        self.folder, self.backends = folder, backends
        ports = [Port(), Port()]
        self.plain, self.port = (port.number for port in ports)
        for port in ports:
            port.close()
        self.authority, self.chain = make_certificate(folder)
        self.trust = ssl.create_default_context(cafile=self.authority)
        self.process = None

    def write(self, down=()):
        """Write the documented settings with our ports; some servers may be taken out."""
        text = DOCUMENTED.read_text(encoding="utf-8")
        servers = "\n".join(
            f"    server 127.0.0.1:{port}{' down' if port in down else ''};"
            for port in self.backends
        )
        for old, new in (
            ("    server 127.0.0.1:8000;", servers),
            ("login.kakuu.example", HOST),
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("listen 443 ", f"listen 127.0.0.1:{self.port} "),
            ("/etc/ssl/kosodate-id/fullchain.pem", str(self.chain)),
            ("/etc/ssl/kosodate-id/private.pem", str(self.chain)),
        ):
            assert old in text, old
            text = text.replace(old, new)
        kept = [line for line in text.splitlines() if "listen [::]" not in line]
        (self.folder / "kosodate-id.conf").write_text("\n".join(kept), encoding="utf-8")

    def start(self):
        user = "user root;" if os.getuid() == 0 else ""
        main = self.folder / "nginx.conf"
        main.write_text(FRAME.format(folder=self.folder, user=user), encoding="utf-8")
        self.write()
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        command = (program, "-c", str(main), "-p", str(self.folder), "-g", "daemon off;")
        with (self.folder / "nginx.out").open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for_port(self.port, self.process)

    def take_out(self, *ports):
        """Send nobody to these servers any more; who is there may finish."""
        self.write(down=ports)
        before = self.workers()
        self.process.send_signal(signal.SIGHUP)
        pause = Event()
        for _ in range(400):
            # The old workers take nobody new and end when their last request is answered.
            if not before & self.workers():
                return
            pause.wait(0.05)
        raise AssertionError("the proxy did not take its new settings")

    def workers(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return frozenset(children.split())

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def connect(self, address, *, seconds=10):
        raw = socket.create_connection(
            ("127.0.0.1", self.port), timeout=seconds, source_address=(address, 0)
        )
        return self.trust.wrap_socket(raw, server_hostname=HOST)

    def get(self, path, address=PERSON):
        connection = http.client.HTTPConnection(HOST, timeout=10)
        connection.sock = self.connect(address)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


def behind_https(server):
    """Let a server say the address of the proxy, and believe what the proxy says."""
    text = server.config.read_text().replace("[dev]\nallow_http = true", "")
    text = text.replace("[server]\n", '[server]\ntrusted_proxies = ["127.0.0.1/32"]\n')
    server.config.write_text(text)


@pytest.fixture
def provider(sqlite_url, tmp_path):
    """Two servers on one database, and the proxy in front of them."""
    with ExitStack() as stack:
        stack.enter_context(made_world(sqlite_url))
        issuer = f"https://{HOST}"
        servers = [
            stack.enter_context(made_server(tmp_path, sqlite_url, issuer=issuer)) for _ in range(2)
        ]
        for server in servers:
            behind_https(server)
            server.start()
        proxy = Proxy(tmp_path, [server.port for server in servers])
        stack.callback(proxy.stop)
        proxy.start()
        yield proxy, servers


def test_rl_06_two_hundred_slow_connections_do_not_slow_others(provider):
    proxy, _servers = provider
    head = f"POST /login HTTP/1.1\r\nHost: {HOST}\r\n"
    body = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\nx"
    with ExitStack() as stack:
        for number in range(SLOW):
            slow = stack.enter_context(proxy.connect(STRANGER))
            # Half of them never end their headers, half never end their body.
            slow.sendall((head + (body if number % 2 else "X-Slow: ")).encode())
        # Each of these waits ten seconds at most; nobody queues behind the strangers.
        assert [proxy.get("/login") for _ in range(20)] == [200] * 20
        assert proxy.get("/.well-known/openid-configuration") == 200


def test_ft_10_a_rolling_restart_loses_no_request(provider):
    proxy, servers = provider
    done = Event()

    def visit(number):
        # The proxy allows 20 requests a second from one address: each visitor has her own.
        answers = []
        while not done.is_set():
            answers.append(proxy.get("/login", f"127.0.1.{number + 1}"))
            done.wait(0.1)
        return answers

    with ThreadPoolExecutor(3) as pool:
        visitors = [pool.submit(visit, number) for number in range(3)]
        try:
            for server in servers:
                proxy.take_out(server.port)
                assert server.end() == 0
                server.start()
                assert server.call("GET", "/health/ready").status == 200
                proxy.take_out()
        finally:
            done.set()
        answers = [status for each in visitors for status in each.result(timeout=60)]
    assert len(answers) > 10
    assert set(answers) == {200}
