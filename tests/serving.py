"""WSGI applications on real ports of this machine, in threads of the test."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server


class Port:
    """A port that is held until a server takes it over, so that addresses are known early."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.number = self.socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.number}"

    def close(self) -> None:
        self.socket.close()


class _Quiet(WSGIRequestHandler):
    """Writes no access log: pytest would show it with every failure."""

    def log(self, *_arguments) -> None:
        pass


@contextmanager
def serving(app, port: Port) -> Iterator[str]:
    """Serve the application on the held port; yield its origin."""
    server = make_server(
        "127.0.0.1",
        port.number,
        app,
        threaded=True,
        request_handler=_Quiet,
        fd=port.socket.fileno(),
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield port.origin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        port.close()


def wait_for_port(number: int, process: subprocess.Popen, *, seconds: float = 20) -> None:
    """Return when a program of ours listens on the port; fail when it ended or takes too long."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        assert process.poll() is None, f"it ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", number), timeout=1).close()
        except ConnectionRefusedError:
            pause.wait(0.05)
        else:
            return
    raise AssertionError(f"nothing listens on port {number}")
