"""Where the mailbox keeps its mails: in memory, and in one file for the next start."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from idp.demo.mailbox.message import Content, Envelope, Mail
from idp.demo.private import write_private


@dataclass(frozen=True)
class Bounds:
    """What the mailbox holds at most; the oldest mails go first."""

    mail_count: int = 500
    total_characters: int = 20_000_000


class MailStore:
    """The newest mails, safe to use from several threads.

    The file has one JSON object a line and is only appended to, until it holds as many old
    lines as new ones and is written again. It is small, private (0600) and may be deleted.
    """

    def __init__(self, file: Path, bounds: Bounds = Bounds()) -> None:
        self._file = file
        self._bounds = bounds
        self._lock = threading.Lock()
        self._mails: deque[Mail] = deque(_read_file(file))
        self._last_id = max((mail.mail_id for mail in self._mails), default=0)
        self._lines = 0
        with self._lock:
            self._drop_oldest()
            self._rewrite()

    def add(self, envelope: Envelope, content: Content, *, now: datetime) -> Mail:
        """Keep a mail and return it with its number, which grows by one a mail."""
        with self._lock:
            self._last_id += 1
            mail = Mail(
                mail_id=self._last_id,
                sender=envelope.sender,
                recipients=envelope.recipients,
                subject=content.subject,
                received_at=now,
                text=content.text,
                html=content.html,
            )
            self._mails.append(mail)
            self._drop_oldest()
            if self._lines >= 2 * self._bounds.mail_count:
                self._rewrite()
            else:
                self._append(mail)
            return mail

    def newest_first(self) -> tuple[Mail, ...]:
        """Return every mail, the newest first."""
        with self._lock:
            return tuple(reversed(self._mails))

    def find(self, mail_id: int) -> Mail | None:
        """Return the mail of this number unless it is gone."""
        with self._lock:
            return next((mail for mail in self._mails if mail.mail_id == mail_id), None)

    def delete_all(self) -> None:
        """Forget every mail. Numbers go on, so that an open page never shows another one."""
        with self._lock:
            self._mails.clear()
            self._rewrite()

    def _drop_oldest(self) -> None:
        size = sum(_size(mail) for mail in self._mails)
        while self._mails and (
            len(self._mails) > self._bounds.mail_count or size > self._bounds.total_characters
        ):
            size -= _size(self._mails.popleft())

    def _append(self, mail: Mail) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(_to_line(mail))
        self._lines += 1

    def _rewrite(self) -> None:
        write_private(self._file, "".join(_to_line(mail) for mail in self._mails))
        self._lines = len(self._mails)


def _size(mail: Mail) -> int:
    return len(mail.text) + len(mail.html) + len(mail.subject)


def _to_line(mail: Mail) -> str:
    fields = asdict(mail) | {"received_at": mail.received_at.isoformat()}
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _read_file(file: Path) -> Iterator[Mail]:
    """Read what an earlier start kept; a line cut short by a crash is left out."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            mail = Mail(**json.loads(line))
            received_at = datetime.fromisoformat(str(mail.received_at))
        except (ValueError, TypeError):
            continue
        yield replace(mail, recipients=tuple(mail.recipients), received_at=received_at)
