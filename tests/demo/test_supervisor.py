"""The supervisor with real processes: ready, watched, and gone with everything they started."""

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from idp.demo.failure import DemoFailure, StopRequested
from idp.demo.processes import HealthPage, Service, run_step
from idp.demo.supervisor import stop_on_signals, supervise

#: Answers on a port, starts a worker of its own, and tells both process ids.
SERVER = """
import http.server, subprocess, sys, os
worker = subprocess.Popen([sys.executable, "-c", "import signal; print('up', flush=True);"
                           "signal.pause()"], stdout=subprocess.PIPE)
worker.stdout.readline()
print(os.getpid(), worker.pid, flush=True)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
signal.pause()
"""


def python(name, source, *arguments, health=None):
    return Service(name, (sys.executable, "-c", source, *map(str, arguments)), health)


@pytest.fixture
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return python("server", SERVER, port, health=HealthPage(port, "/"))


@pytest.fixture
def stop():
    return threading.Event()


def is_running(pid):
    """Tell whether the process lives; a zombie that nobody has collected yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def pids(logs, name="server"):
    first, _, _ = (logs / f"{name}.log").read_text().partition("\n")
    return [int(pid) for pid in first.split()]


def assert_gone(*gone):
    for pid in gone:
        for _ in range(1000):
            if not is_running(pid):
                break
            os.sched_yield()
        assert not is_running(pid)


def test_all_parts_are_ready_when_it_is_told_and_gone_after_the_stop(tmp_path, server, stop):
    seen = []

    def on_ready():
        seen.extend(pid for pid in pids(tmp_path) if is_running(pid))
        stop.set()

    supervise([server], logs=tmp_path, stop=stop, on_ready=on_ready)
    assert len(seen) == 2
    assert_gone(*seen)


def test_a_part_that_ends_by_itself_ends_the_demo_with_the_end_of_its_log(tmp_path, server, stop):
    failing = python("failing", "print('line one'); raise SystemExit('out of luck')")
    with pytest.raises(DemoFailure) as failure:
        supervise([server, failing], logs=tmp_path, stop=stop, on_ready=lambda: None)
    assert "failing ended with exit code 1" in str(failure.value)
    assert "out of luck" in str(failure.value)
    assert str(tmp_path / "failing.log") in str(failure.value)
    assert_gone(*pids(tmp_path))


def test_a_part_that_dies_later_is_noticed(tmp_path, server, stop):
    def on_ready():
        os.kill(pids(tmp_path)[0], signal.SIGKILL)

    with pytest.raises(DemoFailure, match="server was ended by signal 9"):
        supervise([server], logs=tmp_path, stop=stop, on_ready=on_ready)
    assert_gone(*pids(tmp_path))


def test_a_part_that_cannot_be_started_leaves_none_of_the_others(tmp_path, server, stop):
    absent = Service("absent", (str(tmp_path / "no-such-program"),))
    with pytest.raises(DemoFailure, match="absent cannot be started"):
        supervise([server, absent], logs=tmp_path, stop=stop, on_ready=lambda: None)
    assert_gone(*pids(tmp_path))


def test_a_part_that_ignores_the_signal_is_killed(tmp_path, stop, monkeypatch):
    monkeypatch.setattr("idp.demo.processes._STOP_SECONDS", 0.2)
    deaf = python("deaf", STUBBORN)
    started = []

    def on_ready():
        while not (tmp_path / "deaf.log").read_text():
            os.sched_yield()
        started.append(True)
        stop.set()

    supervise([deaf], logs=tmp_path, stop=stop, on_ready=on_ready)
    assert started


def test_a_part_that_never_answers_is_reported(tmp_path, stop, monkeypatch):
    monkeypatch.setattr("idp.demo.processes._START_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        mute = python(
            "mute",
            "import signal; signal.pause()",
            health=HealthPage(silent.getsockname()[1], "/"),
        )
        with pytest.raises(DemoFailure, match="mute did not answer"):
            supervise([mute], logs=tmp_path, stop=stop, on_ready=lambda: None)


def test_a_stop_while_starting_is_obeyed_at_once(tmp_path, server, stop):
    stop.set()
    with pytest.raises(StopRequested):
        supervise([server], logs=tmp_path, stop=stop, on_ready=lambda: pytest.fail("not ready"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_stop_is_the_same_event(number):
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        os.kill(os.getpid(), number)
        assert stop.is_set()
    assert signal.getsignal(number) is before


def test_a_step_that_fails_ends_the_start_with_its_log(tmp_path, stop):
    with pytest.raises(DemoFailure, match="no table"):
        run_step(python("migrate", "raise SystemExit('no table')"), tmp_path, stop)


def test_a_step_is_ended_when_the_demo_is_stopped_meanwhile(tmp_path, stop):
    stop.set()
    step = python("seed", "import signal; signal.pause()")
    with pytest.raises(StopRequested):
        run_step(step, tmp_path, stop)


def test_settings_of_another_installation_and_proxies_stay_out(tmp_path, stop, monkeypatch):
    monkeypatch.setenv("IDP_ISSUER", "https://login.example.jp")
    monkeypatch.setenv("NO_PROXY", "")
    source = "import os; print(os.environ.get('IDP_ISSUER'), os.environ['NO_PROXY'])"
    run_step(python("environment", source), tmp_path, stop)
    assert (tmp_path / "environment.log").read_text().split() == ["None", "127.0.0.1,localhost"]
