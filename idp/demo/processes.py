"""The processes of the demo: started apart, watched, and stopped with all they started."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

from idp.demo.failure import DemoFailure, StopRequested
from idp.demo.ports import LOOPBACK

PROJECT = Path(__file__).resolve().parents[2]
#: How long all parts together may take to answer, and to end after SIGTERM.
_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_LOG_LINES = 15


@dataclass(frozen=True)
class HealthPage:
    """A page that answers once the process is ready."""

    port: int
    path: str


@dataclass(frozen=True)
class Service:
    """A part of the demo: its name, its command, and how to see that it is ready."""

    name: str
    command: tuple[str, ...]
    health: HealthPage | None = None


@dataclass(frozen=True)
class Child:
    """A running part and the file its output goes to."""

    service: Service
    process: subprocess.Popen[bytes]
    log: Path


def start_child(service: Service, logs: Path) -> Child:
    """Start a part in a process group of its own, so that Ctrl-C reaches only the supervisor.

    Raises:
        DemoFailure: the operating system refuses.
    """
    log = logs / f"{service.name}.log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                service.command,
                cwd=PROJECT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise DemoFailure(f"{service.name} cannot be started: {error}") from error
    return Child(service, process, log)


def run_step(service: Service, logs: Path, stop: Event) -> None:
    """Run a command that ends by itself, such as a migration.

    Raises:
        DemoFailure: it failed; the message ends in its log.
        StopRequested: `stop` was set meanwhile, and the command was ended.
    """
    child = start_child(service, logs)
    try:
        while child.process.poll() is None:
            if stop.wait(_POLL_SECONDS):
                raise StopRequested
    finally:
        stop_children([child])
    if child.process.returncode != 0:
        raise DemoFailure(_tell_end(child))


def wait_until_healthy(children: Sequence[Child], stop: Event) -> None:
    """Return as soon as every part answers.

    Raises:
        DemoFailure: a part ended or does not answer in time; the message ends in its log.
        StopRequested: `stop` was set meanwhile.
    """
    deadline = time.monotonic() + _START_SECONDS
    waiting = list(children)
    while waiting:
        check_alive(children)
        waiting = [child for child in waiting if not _is_healthy(child)]
        if waiting and time.monotonic() > deadline:
            slow = waiting[0]
            raise DemoFailure(
                f"{slow.service.name} did not answer within {_START_SECONDS:.0f} seconds.\n"
                f"{_tell_log(slow)}"
            )
        if waiting and stop.wait(_POLL_SECONDS):
            raise StopRequested


def check_alive(children: Sequence[Child]) -> None:
    """See that no part has ended.

    Raises:
        DemoFailure: one has; the message ends in its log.
    """
    for child in children:
        if child.process.poll() is not None:
            raise DemoFailure(_tell_end(child))


def stop_children(children: Sequence[Child]) -> None:
    """End every part: SIGTERM to each, then SIGKILL to what is left of its process group."""
    for child in children:
        if child.process.poll() is None:
            child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        _kill_group(child.process.pid)


def _kill_group(group: int) -> None:
    """End workers that outlived their parent; usually there are none."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return


def _is_healthy(child: Child) -> bool:
    health = child.service.health
    if health is None:
        return True
    connection = HTTPConnection(LOOPBACK, health.port, timeout=5)
    try:
        connection.request("GET", health.path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _environment() -> dict[str, str]:
    """Return our own environment without what would bend the demo.

    Settings of another installation (`IDP_…`) stay out, and so do proxies between its parts.
    """
    inherited = os.environ.items()  # noqa: TID251  not read for settings: passed on to children
    kept = {name: value for name, value in inherited if not name.startswith("IDP_")}
    own = "127.0.0.1,localhost"
    return kept | {"NO_PROXY": own, "no_proxy": own, "PYTHONUNBUFFERED": "1"}


def _tell_end(child: Child) -> str:
    code = child.process.returncode
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"{child.service.name} {how}.\n{_tell_log(child)}"


def _tell_log(child: Child) -> str:
    lines = child.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join([f"The end of {child.log}:", *(f"  {line}" for line in lines)])
