"""The thread that delivers the outbox and clears away what is over."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from sqlite3 import Connection
from threading import Event, Thread

from requests import RequestException, Response

from clients.kit.clock import Clock
from clients.kit.database import Database
from clients.kit.errands import forget_old_errands
from clients.kit.http import ApiSession, basic_authorization
from clients.kit.logout_token import forget_old_logout_tokens
from clients.kit.outbox import (
    Message,
    Outcome,
    forget_settled_messages,
    lease_message,
    postpone,
    settle,
)
from clients.kit.settings import Settings
from clients.kit.visits import forget_old_visits

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
_CLEARING_EVERY = timedelta(minutes=10)
#: The message itself is wrong: it will not get better by waiting.
_HOPELESS = frozenset({400, 410, 413, 415, 422})

#: What an application has to clear away: (db, now).
Clearing = Callable[[Connection, datetime], None]


@dataclass
class Worker:
    """One per process. `deliver_due` and `clear_away` may also be called by hand."""

    settings: Settings
    database: Database
    clock: Clock
    clear_own: Clearing
    _stop: Event = field(default_factory=Event)
    _wake: Event = field(default_factory=Event)

    def start(self) -> Thread:
        """Start the thread; it ends with the process, since every step can be repeated."""
        thread = Thread(target=self._run, name="outbox", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Let the thread end after what it is doing."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Say that something has been put into the outbox."""
        self._wake.set()

    def deliver_due(self) -> int:
        """Send everything that is due; return how many messages were tried."""
        tried = 0
        while not self._stop.is_set():
            with self.database.write() as db:
                message = lease_message(db, now=self.clock())
            if message is None:
                return tried
            tried += 1
            self._deliver(message)
        return tried

    def clear_away(self) -> None:
        """Delete visits, errands, tokens and messages whose time is over."""
        now = self.clock()
        with self.database.write() as db:
            forget_old_visits(db, now=now)
            forget_old_errands(db, now=now)
            forget_old_logout_tokens(db, now=now)
            forget_settled_messages(db, now=now)
            self.clear_own(db, now)

    def _run(self) -> None:
        cleared_at: datetime | None = None
        while not self._stop.is_set():
            try:
                if cleared_at is None or self.clock() - cleared_at >= _CLEARING_EVERY:
                    self.clear_away()
                    cleared_at = self.clock()
                self.deliver_due()
            except Exception:  # noqa: BLE001  # it must outlive a full disk or a locked file
                _log.exception("outbox.failed")
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()

    def _deliver(self, message: Message) -> None:
        try:
            response = self._send(message)
        except RequestException as error:
            answer, outcome, at_least = type(error).__name__, None, timedelta()
        else:
            answer, outcome = str(response.status_code), _outcome(response.status_code)
            at_least = _retry_after(response)
        now = self.clock()
        with self.database.write() as db:
            if outcome is not None:
                settle(db, message, outcome, answer, now=now)
            elif not postpone(db, message, answer, at_least=at_least, now=now):
                outcome = Outcome.GIVEN_UP
        _log.info(
            "outbox.tried id=%d path=%s answer=%s outcome=%s",
            message.id,
            message.path,
            answer,
            outcome or "later",
        )

    def _send(self, message: Message) -> Response:
        with ApiSession() as session:
            return session.request(
                message.method,
                self.settings.issuer.rstrip("/") + message.path,
                data=message.body.encode(),
                headers={
                    "Content-Type": "application/json",
                    "Authorization": basic_authorization(
                        self.settings.client_id, self.settings.client_secret
                    ),
                },
            )


def _outcome(status: int) -> Outcome | None:
    if 200 <= status < 300:
        return Outcome.DELIVERED
    return Outcome.REFUSED if status in _HOPELESS else None


def _retry_after(response: Response) -> timedelta:
    """Read the seconds of Retry-After; its date form is treated as absent."""
    text = response.headers.get("Retry-After", "")
    if not (text.isascii() and text.isdigit()):
        return timedelta()
    return timedelta(seconds=int(text[:6]))
