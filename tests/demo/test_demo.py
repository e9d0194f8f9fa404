"""The whole demo with real processes: started, looked at, stopped, started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
OFFSETS = {"provider": 0, "booking": 1, "certificate": 2, "mailbox": 25, "smtp": 26}


def find_base():
    """Return a first port from which on all five are free."""
    for candidate in range(20_037 + os.getpid() % 1000 * 30, 60_000, 30):
        probes = [socket.socket() for _ in OFFSETS]
        try:
            for probe, step in zip(probes, OFFSETS.values(), strict=True):
                probe.bind(("127.0.0.1", candidate + step))
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
        return candidate
    raise AssertionError("no free ports")


class Demo:
    """A demo that was started the way `make demo` does, and what it printed."""

    def __init__(self, data, base, *more):
        self.base = base
        self.process = subprocess.Popen(
            [sys.executable, "-m", "idp.demo", "--data", data, "--port-base", str(base), *more],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.printed = ""
        self.groups = set()

    def wait_until_ready(self):
        for line in self.process.stdout:
            self.printed += line
            if line.startswith("Data and logs:"):
                self.groups = child_groups(self.process.pid)
                return self
        raise AssertionError(f"the demo ended with {self.process.wait()}:\n{self.printed}")

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.end()

    def end(self):
        self.printed += self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(30)

    def get(self, part, path):
        connection = HTTPConnection("127.0.0.1", self.base + OFFSETS[part], timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def mails(self, to):
        return json.loads(self.get("mailbox", f"/messages.json?to={to}")[1])

    def wait_for_mail(self, to, subject):
        """Look until the worker, which starts last, has delivered the mail."""
        for _ in range(600):
            if any(subject in mail["subject"] for mail in self.mails(to)):
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"no mail about {subject}")


def fields(pid):
    """Return state, parent and process group of a process."""
    text = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return text[0], int(text[1]), int(text[2])


def processes():
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), *fields(entry.name)
            except OSError:
                continue


def child_groups(pid):
    return {group for _, _, parent, group in processes() if parent == pid}


def living_in(groups):
    return {pid for pid, state, _, group in processes() if group in groups and state not in "ZX"}


@pytest.fixture
def demos():
    started = []
    yield started
    for demo in started:
        if demo.process.poll() is None:
            demo.stop(signal.SIGTERM)
        for group in demo.groups:
            assert not living_in({group})


@pytest.fixture
def start(demos, tmp_path):
    base = find_base()

    def start(*more):
        demos.append(Demo(tmp_path / "data", base, *more))
        return demos[-1].wait_until_ready()

    return start


def assert_nothing_left(demo):
    assert demo.groups
    for _ in range(2000):
        if not living_in(demo.groups):
            break
        os.sched_yield()
    assert not living_in(demo.groups)


def test_the_demo_starts_shows_what_to_open_and_leaves_no_process(start, tmp_path):
    demo = start()
    for part in ("provider", "booking", "certificate", "mailbox"):
        assert f"http://127.0.0.1:{demo.base + OFFSETS[part]}/" in demo.printed
        assert demo.get(part, "/")[0] in {200, 303}
    credentials = json.loads((tmp_path / "data" / "credentials.json").read_text())["logins"]
    for login in credentials:
        assert login["login_id"] in demo.printed
        assert login["password"] in demo.printed
    # The notice of the account that waits left by real SMTP, and holds no secret.
    [waiting] = [login for login in credentials if login["application_number"]]
    assert waiting["application_number"] in demo.printed
    demo.wait_for_mail(waiting["login_id"], "アカウント発行のお知らせ")
    codes = json.loads(demo.get("mailbox", "/totp.json")[1])
    assert {code["login_id"] for code in codes} == {
        login["login_id"] for login in credentials if login["totp_secret"]
    }
    assert demo.stop(signal.SIGINT) == 0
    assert_nothing_left(demo)

    again = start()
    assert "demo: seed" not in again.printed
    assert json.loads((tmp_path / "data" / "credentials.json").read_text())["logins"] == credentials
    assert again.mails(waiting["login_id"])
    [provider] = [
        pid
        for pid, _, parent, _ in processes()
        if parent == again.process.pid and b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(provider, signal.SIGKILL)
    assert again.end() == 1
    assert "provider was ended by signal 9" in again.printed
    assert "provider.log" in again.printed
    assert_nothing_left(again)

    anew = start("--reset")
    assert "demo: seed" in anew.printed
    fresh = json.loads((tmp_path / "data" / "credentials.json").read_text())["logins"]
    assert {login["password"] for login in fresh}.isdisjoint(
        login["password"] for login in credentials if login["password"]
    )
    assert anew.stop(signal.SIGTERM) == 0
    assert_nothing_left(anew)
