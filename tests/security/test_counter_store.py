"""A real store of rates that stops, hangs, forgets and is full: checks stay closed (FT-08)."""

import os
import shutil
import signal
import socket
import subprocess

import pytest

from idp.web.limits import LIMITER, PAUSE_SECONDS, RateLimiter
from tests.serving import Port, wait_for_port
from tests.web.applications import build_app
from tests.web.pages import Browser

PEER = "192.0.2.7"


class Store:
    """A store in a process of its own, with nothing on disk."""

    def __init__(self, folder):
        self.folder = folder
        port = Port()
        port.close()
        self.port = port.number
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = None

    def start(self, *options):
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        command = (program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "")
        self.process = subprocess.Popen(
            (*command, "--appendonly", "no", "--dir", str(self.folder), *options),
            stdout=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.process)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None

    def hang(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def say(self, *words):
        """Send one command as the protocol writes it; return the first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            lines = [
                f"*{len(words)}",
                *(part for word in words for part in (f"${len(word)}", word)),
            ]
            connection.sendall(("\r\n".join(lines) + "\r\n").encode())
            return connection.recv(4096).decode().splitlines()[0]


class Tick:
    """A clock of seconds that stands still."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.start()
    yield store
    store.stop()


@pytest.fixture
def tick():
    return Tick()


@pytest.fixture
def limiter(store, tick):
    return RateLimiter(store.url, 3, tick=tick)


def tries(limiter, count=5):
    return [limiter.admits(PEER) for _ in range(count)]


def test_rl_04_ft_08_two_processes_have_one_budget_in_the_store(store, limiter):
    other = RateLimiter(store.url, 3)
    assert [limiter.admits(PEER), other.admits(PEER), limiter.admits(PEER)] == [True] * 3
    assert [limiter.admits(PEER), other.admits(PEER)] == [False, False]
    assert other.admits("198.51.100.1")


def test_ft_08_stopped_each_process_counts_by_itself_and_comes_back(store, limiter, tick):
    assert tries(limiter) == [True, True, True, False, False]
    store.stop()
    assert tries(limiter) == [True, True, True, False, False]
    store.start()
    assert tries(limiter) == [False] * 5
    tick.now += PAUSE_SECONDS
    assert tries(limiter) == [True, True, True, False, False]


def test_ft_08_a_store_that_hangs_is_asked_once_in_a_pause(store, limiter, tick, caplog):
    assert limiter.admits(PEER)
    store.hang()
    assert tries(limiter, 50) == [True] * 3 + [False] * 47
    # Each time it is asked in vain leaves a line.
    assert caplog.text.count("limits.store_away") == 1
    store.go_on()
    tick.now += PAUSE_SECONDS
    # What was sent before it hung may count as well.
    assert tries(limiter)[-2:] == [False, False]


def test_ft_08_a_flushed_store_starts_the_minute_anew(store, limiter):
    assert tries(limiter) == [True, True, True, False, False]
    assert store.say("FLUSHALL") == "+OK"
    assert store.say("SCRIPT", "FLUSH") == "+OK"
    assert tries(limiter) == [True, True, True, False, False]


def test_ft_08_a_store_without_room_is_one_that_is_away(store, limiter):
    assert store.say("CONFIG", "SET", "maxmemory-policy", "noeviction") == "+OK"
    assert store.say("CONFIG", "SET", "maxmemory", "1") == "+OK"
    assert tries(limiter) == [True, True, True, False, False]


def test_ft_08_a_provider_starts_without_its_store_and_refuses_a_flood(
    store, sqlite_url, clock, town, caplog
):
    store.stop()
    app = build_app(sqlite_url, clock, limits={"store": store.url, "per_minute": 10})
    browser = Browser(app)
    assert browser.get("/login").status == 200
    statuses = [browser.post("/login").status for _ in range(15)]
    assert statuses == [403] * 10 + [429] * 5
    assert caplog.text.count("limits.store_away") == 1
    app.extensions[LIMITER] = RateLimiter(store.url, 10)
    store.start()
    statuses = [browser.post("/login").status for _ in range(12)]
    assert statuses == [403] * 10 + [429] * 2
