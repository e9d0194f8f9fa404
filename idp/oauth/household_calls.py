"""Calls of services about households: mails to them, and what waits for them."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.notices import (
    Accepted,
    Message,
    NoticeRefusal,
    Notification,
    Pending,
    notify_household,
    report_pending,
)
from idp.oauth.calls import Answer, Call, refuse
from idp.oauth.client_authentication import authenticate_client, require_confidential
from idp.oauth.provider import Provider
from idp.protocol import notices
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import EndpointError

#: 403 may change with the registration, 422 will not: nobody of that id is there.
_STATUS = {NoticeRefusal.NOT_ALLOWED: 403, NoticeRefusal.HOUSEHOLD: 422}

Operation = Callable[[RegisteredClient, Mapping[str, object]], Accepted | NoticeRefusal | None]


def answer_notification(
    db: Session, call: Call, body: bytes, *, provider: Provider, now: datetime
) -> Answer:
    """Take a mail to a household: 202, it is in the outbox."""

    def act(client: RegisteredClient, content: Mapping[str, object]) -> Accepted | NoticeRefusal:
        notification = Notification(
            household=notices.take_household(content),
            kind=notices.take_kind(content, "kind"),
            messages={
                language: Message(subject, text)
                for language, (subject, text) in notices.take_messages(content).items()
            },
            idempotency_key=notices.take_key(content),
        )
        return notify_household(db, client, notification, keys=provider.keys, now=now)

    return _answer(db, call, body, act, provider=provider, now=now)


def answer_pending(
    db: Session, call: Call, body: bytes, *, provider: Provider, now: datetime
) -> Answer:
    """Take how many things wait for a household; the newest number holds."""

    def act(client: RegisteredClient, content: Mapping[str, object]) -> NoticeRefusal | None:
        pending = Pending(
            household=notices.take_household(content),
            code=notices.take_kind(content, "code"),
            count=notices.take_count(content),
        )
        return report_pending(db, client, pending, keys=provider.keys, now=now)

    return _answer(db, call, body, act, provider=provider, now=now)


def _answer(
    db: Session, call: Call, body: bytes, act: Operation, *, provider: Provider, now: datetime
) -> Answer:
    try:
        client = authenticate_client(db, call, provider=provider, now=now)
        require_confidential(client)
        outcome = act(client, notices.parse_body(body))
    except EndpointError as error:
        return refuse(error, call)
    match outcome:
        case NoticeRefusal():
            refusal = EndpointError(
                "access_denied" if outcome is NoticeRefusal.NOT_ALLOWED else "invalid_request",
                "The service may not do this.",
                status=_STATUS[outcome],
                reason=outcome.value,
            )
            return refuse(refusal, call)
        case Accepted(recipient_count):
            # Whether there was one recipient or three tells nothing a service may not know.
            return Answer(202, {"accepted": recipient_count > 0}, client_id=client.client_id)
        case None:
            return Answer(200, {}, client_id=client.client_id)
