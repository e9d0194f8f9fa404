"""The worker: delivers the outbox, keeps keys moving, cleans up; one loop, started by `serve`."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from idp.base.clock import Clock
from idp.base.failures import places_of
from idp.base.http import FetchError, HttpClient
from idp.base.keyring import Keyring
from idp.db.errors import UNAVAILABLE
from idp.db.session import Sessions, transaction
from idp.domain.backstage.delivery import (
    DueCall,
    DueEvent,
    DueMail,
    Pointless,
    claim_due,
    mark_dropped,
    mark_failed,
    mark_later,
    mark_sent,
    open_due,
)
from idp.mail.messages import Writer
from idp.mail.transport import Later, MailTransport, Outcome, Refused, Sent
from idp.model.upkeep import OutboxKind
from idp.protocol.events import CONTENT_TYPE, read_refusal

_LOG = logging.getLogger(__name__)

#: How often the outbox is looked at.
POLL_SECONDS = 0.5
#: How long to wait when the database is away.
AWAY_SECONDS = 5.0
#: Rows taken at once.
BATCH = 10
UPKEEP_EVERY = timedelta(hours=1)


@dataclass
class Worker:
    """Everything the loop needs; `upkeep` runs at the start and then hourly."""

    sessions: Sessions
    clock: Clock
    keys: Keyring
    issuer: str
    writer: Writer
    transport: MailTransport
    http: HttpClient
    upkeep: Callable[[], None]
    #: Most deliveries a minute.
    per_minute: int
    #: What it delivers: mails and calls have a worker each, so that a service that does not
    #: answer never keeps a sign-in code waiting (SR-06).
    kinds: frozenset[OutboxKind] = frozenset(OutboxKind)
    #: How many rows are delivered at once.
    width: int = 1
    #: What a delivery in a thread of its own is done within (sessions know their application).
    scope: Callable[[], AbstractContextManager[object]] = nullcontext
    _next_upkeep: datetime | None = field(default=None, init=False)
    _recent: list[datetime] = field(default_factory=list, init=False)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a database that is away is waited for (FT-01)."""
        while not stop.is_set():
            try:
                self._run_upkeep()
                worked = self.run_once()
            except UNAVAILABLE as error:
                _LOG.warning("worker.waiting kind=%s", type(error).__name__)
                stop.wait(AWAY_SECONDS)
                continue
            if worked == 0:
                stop.wait(POLL_SECONDS)

    def run_once(self) -> int:
        """Deliver what is due now; return how many rows were taken."""
        now = self.clock()
        self._recent = [at for at in self._recent if at > now - timedelta(minutes=1)]
        room = min(BATCH, self.per_minute - len(self._recent))
        if room <= 0:
            return 0
        with transaction(self.sessions) as db:
            claimed = claim_due(db, kinds=self.kinds, limit=room, now=now)
        if self.width == 1:
            for row_id in claimed:
                self._deliver_safely(row_id)
        elif claimed:
            with ThreadPoolExecutor(max_workers=self.width) as pool:
                list(pool.map(self._deliver_apart, claimed))
        self._recent.extend(now for _ in claimed)
        return len(claimed)

    def _run_upkeep(self) -> None:
        now = self.clock()
        if self._next_upkeep is None or self._next_upkeep <= now:
            self.upkeep()
            self._next_upkeep = now + UPKEEP_EVERY

    def _deliver_apart(self, row_id: UUID) -> None:
        with self.scope():
            self._deliver_safely(row_id)

    def _deliver_safely(self, row_id: UUID) -> None:
        """Deliver one row; whatever breaks there must not stop the others."""
        try:
            self._deliver(row_id)
        except UNAVAILABLE:
            raise
        except Exception as error:  # noqa: BLE001 - the row is tried again; the loop goes on
            # Without the message: it may quote the mail (LG-01).
            place, kind = places_of(error), type(error).__name__
            _LOG.error("outbox.broken row=%s kind=%s at=%s", row_id, kind, place)
            with transaction(self.sessions) as db:
                mark_later(db, row_id, "broken", now=self.clock())

    def _deliver(self, row_id: UUID) -> None:
        with transaction(self.sessions) as db:
            due = open_due(db, row_id, issuer=self.issuer, keys=self.keys, now=self.clock())
        match due:
            case Pointless(_, problem):
                with transaction(self.sessions) as db:
                    mark_dropped(db, row_id, problem)
            case DueMail():
                self._note(row_id, self.transport.send(self.writer.write(due), due.address))
            case DueCall():
                self._note(row_id, self._call(due))
            case DueEvent():
                self._note(row_id, self._push(due))

    def _call(self, due: DueCall) -> Outcome:
        """Post a logout token (OIDC Back-Channel Logout §2.5); 200 or 204 is a yes."""
        try:
            answer = self.http.post_form(due.call.uri, {"logout_token": due.call.logout_token})
        except FetchError as error:
            return Later(error.reason)
        if answer.status in {200, 204}:
            return Sent()
        return Later(f"status_{answer.status}")

    def _push(self, due: DueEvent) -> Outcome:
        """Push a security event; only 202 says that it was taken (RFC 8935 §2.2, §2.3)."""
        body, kind = due.push.token.encode(), CONTENT_TYPE
        try:
            answer = self.http.post(due.push.uri, body, content_type=kind)
        except FetchError as error:
            return Later(error.reason)
        if answer.status == HTTPStatus.ACCEPTED:
            return Sent()
        refusal = read_refusal(answer.body) if answer.status == HTTPStatus.BAD_REQUEST else None
        if refusal is not None:
            return Refused(f"refused_{refusal}")
        return Later(f"status_{answer.status}")

    def _note(self, row_id: UUID, outcome: Outcome) -> None:
        now = self.clock()
        with transaction(self.sessions) as db:
            match outcome:
                case Sent():
                    mark_sent(db, row_id, now=now)
                case Later(problem):
                    mark_later(db, row_id, problem, now=now)
                    _LOG.warning("outbox.later row=%s problem=%s", row_id, problem)
                case Refused(problem):
                    mark_failed(db, row_id, problem)
                    _LOG.warning("outbox.refused row=%s problem=%s", row_id, problem)
