"""The SMTP server of the mailbox: it accepts mail for everyone, from this machine only."""

import asyncio
import threading
from typing import Self

from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as SmtpEnvelope
from aiosmtpd.smtp import Session as SmtpSession

from idp.base.clock import Clock
from idp.demo.mailbox.message import Envelope, read_content
from idp.demo.mailbox.store import MailStore

LOOPBACK = "127.0.0.1"
#: A mail of ours has a few kilobytes; ten times a large one is refused with 552.
MAX_MAIL_BYTES = 1_000_000
_IDLE_SECONDS = 60
_MAX_RECIPIENTS = 50


class _Receiver:
    """What happens with a mail: it is read and kept."""

    def __init__(self, store: MailStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def handle_RCPT(  # noqa: N802  the name and the arguments are aiosmtpd's
        self,
        _server: SMTP,
        _session: SmtpSession,
        envelope: SmtpEnvelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Accept every address, but not without end (RFC 5321 §4.5.3.1.10)."""
        if len(envelope.rcpt_tos) >= _MAX_RECIPIENTS:
            return "452 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  the name is aiosmtpd's
        self, _server: SMTP, _session: SmtpSession, envelope: SmtpEnvelope
    ) -> str:
        """Keep the mail."""
        raw = envelope.content
        said = Envelope(sender=envelope.mail_from or "", recipients=tuple(envelope.rcpt_tos))
        content = read_content(raw if isinstance(raw, bytes) else (raw or "").encode())
        self._store.add(said, content, now=self._clock())
        return "250 Message accepted"


class SmtpServer:
    """A running SMTP server in a thread of its own; use it in a `with` statement."""

    def __init__(self, store: MailStore, clock: Clock, *, port: int) -> None:
        self._receiver = _Receiver(store, clock)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)
        self._server = self._loop.run_until_complete(
            self._loop.create_server(self._new_connection, LOOPBACK, port)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        """Begin to accept mail."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop accepting, end the connections, and free the port."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(_end_open_tasks())
        self._loop.close()

    def _new_connection(self) -> SMTP:
        return SMTP(
            self._receiver,
            hostname="localhost",
            ident="mailbox of the demo",
            data_size_limit=MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            timeout=_IDLE_SECONDS,
            loop=self._loop,
        )


async def _end_open_tasks() -> None:
    """Cancel the conversations that are still open, and wait for their end."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
