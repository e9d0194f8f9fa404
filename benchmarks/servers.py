"""Starting and stopping the provider: `idp serve` on Granian, or the same behind gunicorn."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.util import find_spec

from benchmarks.accounting import Memory, memory_of
from benchmarks.town import Town

_LONGEST_START_SECONDS = 60.0
_QUIET_SECONDS = 2.0
_APPLICATION = "idp.cli.serving:build_wsgi"
INSTRUMENTED = "benchmarks.instrument:build_instrumented"
BARE = "benchmarks.bare:build_bare"
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Start:
    """A server that answers, and what it took."""

    pid: int
    first_answer_seconds: float
    idle: Memory


@contextmanager
def serving(town: Town, kind: str, *, workers: int, threads: int) -> Iterator[Start]:
    """Run the provider until the block ends.

    `kind` is `granian` (exactly `idp serve`), `gunicorn-sync` or `gunicorn-gthread`.
    """
    with _running(_command(town, kind, workers=workers, threads=threads), town, {}) as start:
        yield start


@contextmanager
def serving_bare(town: Town, kind: str, *, workers: int, threads: int) -> Iterator[Start]:
    """Run an application that does nothing on the same server."""
    if kind == "granian":
        command = _granian(BARE, town, workers=workers, threads=threads)
    else:
        command = _gunicorn(BARE, town, kind, workers=workers, threads=threads)
    with _running(command, town, {}, path="/") as start:
        yield start


@contextmanager
def serving_instrumented(town: Town, extra: Mapping[str, str]) -> Iterator[Start]:
    """Run the provider in one worker with a stopwatch around every request."""
    command = _granian(INSTRUMENTED, town, workers=1, threads=1)
    with _running(command, town, extra) as start:
        yield start


def _command(town: Town, kind: str, *, workers: int, threads: int) -> tuple[str, ...]:
    if kind == "granian":
        return (sys.executable, "-m", "idp.cli.main", "--config", str(town.settings), "serve")
    return _gunicorn(_APPLICATION, town, kind, workers=workers, threads=threads)


def _gunicorn(
    application: str, town: Town, kind: str, *, workers: int, threads: int
) -> tuple[str, ...]:
    if find_spec("gunicorn") is None:
        raise SystemExit("gunicorn is not installed here: pip install gunicorn, then start again")
    # Kept connections outlive the pauses between two operations: gunicorn would close them in the
    # moment a request is on its way, which is why it stands behind a proxy that asks again.
    many = ("--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "75")
    return (
        *(sys.executable, "-m", "gunicorn", "--workers", str(workers)),
        *(many if kind == "gunicorn-gthread" else ()),
        *("--bind", f"127.0.0.1:{town.port}", "--log-level", "warning"),
        f"{application}()",
    )


def _granian(application: str, town: Town, *, workers: int, threads: int) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "granian", "--factory", "--interface", "wsgi"),
        *("--host", "127.0.0.1", "--port", str(town.port), "--workers", str(workers)),
        *("--blocking-threads", str(threads), "--no-ws", "--log-level", "warning", application),
    )


@contextmanager
def _running(
    command: tuple[str, ...], town: Town, extra: Mapping[str, str], path: str = DISCOVERY
) -> Iterator[Start]:
    environment = os.environ | {"IDP_CONFIG": str(town.settings)} | dict(extra)
    with tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            seconds = _wait_for_answer(process, town.port, path, begun)
            time.sleep(_QUIET_SECONDS)
            yield Start(process.pid, seconds, memory_of([process.pid]))
        except BaseException:
            log.seek(0)
            sys.stderr.buffer.write(log.read()[-4_000:])
            raise
        finally:
            _stop(process)


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, path: str, begun: float) -> float:
    while (elapsed := time.perf_counter() - begun) < _LONGEST_START_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        if _answers(port, path):
            return time.perf_counter() - begun
        time.sleep(0.01)
    raise RuntimeError(f"no answer in {elapsed:.0f} s")


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def find_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
