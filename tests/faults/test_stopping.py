"""The server is told to stop, or killed: what is under way ends, what was answered stays true."""

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPException
from threading import Event

from sqlalchemy import func, select

from idp.domain.upkeep.audit import SYSTEM, Act, record
from idp.model.grants import AuthorizationCode, RefreshToken
from idp.model.upkeep import AuditEvent
from tests.races.test_one_winner import BASIC, authorize_query, code_of, redeem_form, sign_in

#: How often a serving process is killed; KOSODATE_KILLS=200 for the whole catalogue case.
KILLS = int(os.environ.get("KOSODATE_KILLS", "3"))
CALLERS = 2
#: Codes that each of them redeems, over and over, until the killing ends.
CODES = 150


def test_ft_10_a_request_under_way_is_finished_before_the_server_stops(server, world):
    body = redeem_form(world.authorize()).encode()
    lines = [
        "POST /token HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in BASIC.items()),
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[:10])
        # Answered beside it: the half request has been taken up.
        assert server.call("GET", "/health/live").status == 200
        server.process.send_signal(signal.SIGTERM)
        connection.sendall(body[10:])
        with connection.makefile("rb") as reader:
            answer = reader.read()
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
    assert b'"access_token"' in answer
    assert server.process.wait(timeout=40) == 0


def test_ft_11_what_was_there_before_a_restart_is_there_after_it(server, world):
    cookie, _session_id = sign_in(world)
    tokens = server.redeem_for_app(world.authorize(client_id="app")).json()
    used = world.authorize()
    assert server.redeem(used).status == 200
    world.do(record, Act("test.noted"), actor=SYSTEM, now=world.now)
    keys = server.call("GET", "/jwks").body
    assert server.end() == 0
    server.start()
    assert server.call("GET", "/jwks").body == keys
    assert server.redeem(used).status == 400
    assert server.refresh_app(tokens["refresh_token"]).status == 200
    silent = server.call("GET", authorize_query(prompt="none"), headers={"Cookie": cookie})
    assert code_of(silent)
    noted = select(func.count()).select_from(AuditEvent).where(AuditEvent.name == "test.noted")
    assert world.one(noted) == 1


class Caller:
    """Redeems codes and rotates refresh tokens, and remembers what it was promised."""

    def __init__(self, server, codes, stop):
        self.server, self.waiting, self.stop = server, codes, stop
        #: code → its answer, None where none came.
        self.codes = {}
        #: The newest refresh token of each family, if its answer came.
        self.newest = {}

    def run(self):
        while self.waiting and not self.stop.is_set():
            code = self.waiting.pop()
            answer = self.codes[code] = self._try(self.server.redeem_for_app, code)
            if answer is not None:
                self._rotate(code, answer.json()["refresh_token"])

    def _rotate(self, code, token):
        self.newest[code] = token
        for _ in range(2):
            answer = self._try(self.server.refresh_app, self.newest[code])
            if answer is None:
                # It may have happened or not: nothing was promised.
                self.newest[code] = None
                return
            self.newest[code] = answer.json()["refresh_token"]

    def _try(self, call, value):
        """Return the answer; None if none came, or one that promises nothing."""
        while True:
            try:
                answer = call(value)
            except ConnectionRefusedError:  # nothing was asked: nobody listens just now
                if self.stop.wait(0.05):
                    return None
            except (OSError, HTTPException):
                return None
            else:
                break
        assert answer.status in {200, 503}, answer.body
        return answer if answer.status == 200 else None


def test_ft_09_a_killed_worker_leaves_nothing_half_done(server, world):
    stop, pause = Event(), Event()
    lasting = {"client_id": "app", "code_lifetime": timedelta(hours=1)}
    callers = [
        Caller(server, [world.authorize(**lasting) for _ in range(CODES)], stop)
        for _ in range(CALLERS)
    ]
    with ThreadPoolExecutor(CALLERS) as pool:
        running = [pool.submit(each.run) for each in callers]
        killed = set()
        try:
            for number in range(KILLS):
                victim = next_worker(server, killed, pause)
                pause.wait(0.05 * (number % 5))
                os.kill(victim, signal.SIGKILL)
                killed.add(victim)
            next_worker(server, killed, pause)
            wait_for_promise(callers, pause)
        finally:
            stop.set()
        for each in running:
            each.result(timeout=60)
    assert_promises_hold(server, world, callers)


def wait_for_promise(callers, pause):
    """Return when somebody was answered: they may all have waited for the last worker."""
    for _ in range(600):
        if any(token for each in callers for token in tuple(each.newest.values())):
            return
        pause.wait(0.05)


def next_worker(server, killed, pause):
    """Return a serving process that was not killed yet, once it answers.

    A server whose workers end quickly one after the other ends too: its supervisor starts it
    anew (`Restart=always` in deploy/systemd), which is done here.
    """
    for _ in range(600):
        if server.process.poll() is not None:
            server.start()
        alive = [pid for pid in server.workers() if pid not in killed]
        if alive:
            try:
                if server.call("GET", "/health/live").status == 200:
                    return alive[0]
            except (OSError, HTTPException):
                pass
        pause.wait(0.05)
    raise AssertionError("no worker came back")


def assert_promises_hold(server, world, callers):
    codes = {code: answer for each in callers for code, answer in each.codes.items()}
    newest = {code: token for each in callers for code, token in each.newest.items() if token}
    assert any(answer is not None for answer in codes.values())
    assert newest
    # Every answer that came is still true: the newest token of each family works.
    for token in newest.values():
        assert server.refresh_app(token).status == 200
    # Spent and paid in one: each spent code has its one live token, and no other code has any.
    spent = select(func.count()).where(AuthorizationCode.redeemed_at.is_not(None))
    live = select(func.count()).where(RefreshToken.rotated_at.is_(None))
    assert world.one(spent) == world.one(live)
    for code, answer in codes.items():
        again = server.redeem_for_app(code)
        if answer is not None:
            assert (again.status, again.json()["error"]) == (400, "invalid_grant")
        else:
            assert again.status in {200, 400}
