"""What services tell households: a mail to those who may get it, a number on the home page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.db.rows import change
from idp.domain.grants.known_households import find_household_by_subject
from idp.domain.people.households import recipients_of
from idp.domain.upkeep.audit import Act, Actor, record
from idp.domain.upkeep.outbox import Fact, Mail, enqueue_mail
from idp.model.upkeep import PendingNotice
from idp.protocol.client import RegisteredClient

_notice: Any = PendingNotice.__table__


class NoticeRefusal(StrEnum):
    """Why nothing was sent or noted."""

    NOT_ALLOWED = "notice_not_allowed"
    HOUSEHOLD = "household_unknown"


@dataclass(frozen=True)
class Message:
    """Subject and text in one language."""

    subject: str
    text: str


@dataclass(frozen=True)
class Notification:
    """A business mail to a household, in every language the service speaks (A33)."""

    household: str
    kind: str
    messages: Mapping[str, Message]
    #: The same key again sends nothing again.
    idempotency_key: str


@dataclass(frozen=True)
class Accepted:
    """How many people will get the mail; who they are is not the service's to know."""

    recipient_count: int


def notify_household(
    db: Session,
    client: RegisteredClient,
    notification: Notification,
    *,
    keys: Keyring,
    now: datetime,
) -> Accepted | NoticeRefusal:
    """Put a mail for everyone who may get it into the outbox (A36); a second time is harmless.

    The facts of the mail are `subject_<language>` and `text_<language>`, and the name of the
    service as `client_name_<language>`; the worker picks the recipient's language.
    """
    if not client.may_notify:
        return NoticeRefusal.NOT_ALLOWED
    household_id = find_household_by_subject(db, client, notification.household, keys=keys)
    if household_id is None:
        return NoticeRefusal.HOUSEHOLD
    recipients = recipients_of(db, household_id, now=now)
    facts = _facts(client, notification)
    written = [
        _write_mail(db, client, each.account_id, notification, facts, keys=keys, now=now)
        for each in recipients
    ]
    if any(written):
        act = Act(
            "notification.accepted",
            municipality_id=client.municipality_id,
            detail={"kind": notification.kind, "recipients": len(recipients)},
        )
        record(db, act, actor=Actor(kind="client", client_id=client.client_id), now=now)
    return Accepted(len(recipients))


def _facts(client: RegisteredClient, notification: Notification) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"kind": notification.kind}
    for language, message in notification.messages.items():
        facts[f"subject_{language}"] = message.subject
        facts[f"text_{language}"] = message.text
        facts[f"client_name_{language}"] = client.name_in(language)
    return facts


def _write_mail(  # noqa: PLR0913 - one mail has so many sides
    db: Session,
    client: RegisteredClient,
    account_id: UUID,
    notification: Notification,
    facts: Mapping[str, Fact],
    *,
    keys: Keyring,
    now: datetime,
) -> bool:
    """Write one mail unless this message was written before; the unique key decides."""
    mail = Mail(
        "notification",
        account_id,
        facts,
        municipality_id=client.municipality_id,
        once_key=f"notify:{client.client_id}:{notification.idempotency_key}:{account_id}",
        client_id=client.client_id,
    )
    try:
        with db.begin_nested():
            enqueue_mail(db, mail, keys=keys, now=now)
    except IntegrityError:
        return False
    return True


@dataclass(frozen=True)
class Pending:
    """That so many things of one kind wait for a household at a service (A31)."""

    household: str
    code: str
    count: int


def report_pending(
    db: Session, client: RegisteredClient, pending: Pending, *, keys: Keyring, now: datetime
) -> NoticeRefusal | None:
    """Remember the newest number, or that nothing waits any more."""
    household_id = find_household_by_subject(db, client, pending.household, keys=keys)
    if household_id is None:
        return NoticeRefusal.HOUSEHOLD
    place = (
        _notice.c.client_id == client.client_id,
        _notice.c.household_id == household_id,
        _notice.c.code == pending.code,
    )
    if pending.count == 0:
        change(db, delete(_notice).where(*place), {})
        return None
    values = {"count": pending.count, "updated_at": now}
    renew = update(_notice).where(*place).values(**values)
    if change(db, renew, {}):
        return None
    row = {
        "id": new_id(now=now),
        "client_id": client.client_id,
        "household_id": household_id,
        "code": pending.code,
    }
    try:
        with db.begin_nested():
            change(db, insert(_notice), row | values)
    except IntegrityError:
        # Another call came first: its number is replaced by ours.
        change(db, renew, {})
    return None
