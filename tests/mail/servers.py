"""SMTP and HTTP servers of this machine that behave well, or not."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class Inbox:
    """Takes every mail, or answers what it was told to."""

    def __init__(self, *, recipient="250 OK", data="250 OK"):
        self.mails = []
        self.recipient = recipient
        self.data = data

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.recipient.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.data.startswith("2"):
            self.mails.append((envelope.rcpt_tos, envelope.content))
        return self.data


@contextmanager
def smtp_server(inbox):
    """Run a server without TLS; yield its port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=0, ready_timeout=10)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        controller.port = probe.getsockname()[1]
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def silent_server():
    """Accept connections and say nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    taken = []

    def accept():
        while not stop.is_set():
            try:
                taken.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in taken:
            connection.close()


@contextmanager
def http_service(*answers):
    """Answer one POST after another with (status, body); yield the origin and what came in."""
    waiting, taken = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((dict(self.headers), body.decode()))
            status, answer = waiting.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
