"""What the provider is to be told: written with its reason, sent until it has arrived."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from sqlite3 import Connection
from typing import Any

from clients.kit.clock import to_text
from clients.kit.secret import new_token

#: Longer than one call can take: whoever holds a lease is still at it.
_LEASE = timedelta(seconds=30)
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)
_PATIENCE = timedelta(days=3)
_RETENTION = timedelta(days=30)


class Outcome(StrEnum):
    """How a message was settled."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    GIVEN_UP = "given_up"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Message:
    """One call to the provider's API that is due."""

    id: int
    method: str
    path: str
    body: str
    try_count: int
    created_at: datetime


@dataclass(frozen=True)
class MailTexts:
    """Subject and text of a mail in one language."""

    subject: str
    text: str


def notify_household(
    db: Connection, household_id: str, kind: str, mails: dict[str, MailTexts], *, now: datetime
) -> None:
    """Ask the provider to mail every member of a household that may get it.

    The provider chooses the language of each person and tells us no address. The key makes a
    second delivery of the same message harmless.
    """
    body = {
        "household_id": household_id,
        "kind": kind,
        "messages": {
            lang: {"subject": mail.subject, "text": mail.text} for lang, mail in mails.items()
        },
        "idempotency_key": new_token(),
    }
    _put(db, "POST", "/api/notifications", body, topic=None, now=now)


def report_pending(
    db: Connection, household_id: str, code: str, count: int, *, now: datetime
) -> None:
    """Tell the provider how many notices wait for a household; the newest number replaces older."""
    topic = f"{code} {household_id}"
    db.execute(
        "UPDATE outbox SET settled_at = ?, outcome = ?, body = NULL"
        " WHERE topic = ? AND settled_at IS NULL",
        (to_text(now), Outcome.SUPERSEDED, topic),
    )
    body = {"household_id": household_id, "code": code, "count": count}
    _put(db, "PUT", "/api/pending-notices", body, topic=topic, now=now)


def lease_message(db: Connection, *, now: datetime) -> Message | None:
    """Take the message that is due longest, for as long as a call may take.

    The condition of the UPDATE is the lock: two workers never send the same message at once.
    """
    rows = db.execute(
        "UPDATE outbox SET leased_until = :lease, try_count = try_count + 1 WHERE id ="
        " (SELECT id FROM outbox WHERE settled_at IS NULL AND due_at <= :now"
        "  AND (leased_until IS NULL OR leased_until <= :now) ORDER BY due_at, id LIMIT 1)"
        " AND settled_at IS NULL RETURNING id, method, path, body, try_count, created_at",
        {"now": to_text(now), "lease": to_text(now + _LEASE)},
    ).fetchall()
    if not rows:
        return None
    row = dict(rows[0])
    return Message(**row | {"created_at": datetime.fromisoformat(row["created_at"])})


def settle(
    db: Connection, message: Message, outcome: Outcome, answer: str, *, now: datetime
) -> None:
    """Finish a message and forget what it said."""
    db.execute(
        "UPDATE outbox SET settled_at = ?, outcome = ?, last_answer = ?, body = NULL,"
        " leased_until = NULL WHERE id = ? AND settled_at IS NULL",
        (to_text(now), outcome, answer, message.id),
    )


def postpone(
    db: Connection, message: Message, answer: str, *, at_least: timedelta, now: datetime
) -> bool:
    """Try again later, each time twice as late; tell whether there is still hope."""
    if now - message.created_at >= _PATIENCE:
        settle(db, message, Outcome.GIVEN_UP, answer, now=now)
        return False
    pause = min(_FIRST_PAUSE * 2 ** min(message.try_count - 1, 10), _LONGEST_PAUSE)
    due_at = now + max(pause, min(at_least, _LONGEST_PAUSE))
    db.execute(
        "UPDATE outbox SET due_at = ?, leased_until = NULL, last_answer = ?"
        " WHERE id = ? AND settled_at IS NULL",
        (to_text(due_at), answer, message.id),
    )
    return True


def forget_settled_messages(db: Connection, *, now: datetime) -> None:
    """Delete what was settled long ago."""
    db.execute("DELETE FROM outbox WHERE settled_at <= ?", (to_text(now - _RETENTION),))


def _put(
    db: Connection,
    method: str,
    path: str,
    body: dict[str, Any],
    *,
    topic: str | None,
    now: datetime,
) -> None:
    db.execute(
        "INSERT INTO outbox (method, path, topic, body, created_at, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (method, path, topic, json.dumps(body, ensure_ascii=False), to_text(now), to_text(now)),
    )
