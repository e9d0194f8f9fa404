"""Security events that services may hear of: names, and the token that carries one (RFC 8417)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: Every event of ours is named below this address, the same in every installation.
PREFIX = "https://schemas.kosodate-id.example/event/"
#: The `typ` of a security event token (RFC 8417 §2.3).
TYPE = "secevent+jwt"
#: How it is pushed (RFC 8935 §2.1).
CONTENT_TYPE = "application/secevent+jwt"


class SecurityEvent(StrEnum):
    """What a client may subscribe to, by the short name its metadata use."""

    ACCOUNT_ACTIVATED = "account.activated"
    ACCOUNT_SUSPENDED = "account.suspended"
    ACCOUNT_CLOSED = "account.closed"
    CREDENTIAL_CHANGED = "credential.changed"
    EMAIL_CHANGED = "email.changed"
    MEMBER_ADDED = "household.member_added"
    MEMBER_REMOVED = "household.member_removed"
    REPRESENTATIVE_CHANGED = "household.representative_changed"
    DOCUMENTS_CHANGED = "documents.changed"
    #: Every session that began before has ended; single ones end by back-channel logout.
    SESSIONS_REVOKED = "sessions.revoked"


SUPPORTED = tuple(event.value for event in SecurityEvent)


@dataclass(frozen=True)
class EventFacts:
    """One event for one client."""

    issuer: str
    client_id: str
    event: SecurityEvent
    #: Whom or what it is about, in a format of RFC 9493.
    subject: Mapping[str, object]
    details: Mapping[str, object]
    jti: str
    happened_at: datetime


def build_event_token(facts: EventFacts) -> dict[str, object]:
    """Return the claims: the same ones at every try (RFC 8935 §2.1), without `exp` and `sub`.

    RFC 8417 §4: nobody may take it for a token that opens something.
    """
    moment = int(facts.happened_at.timestamp())
    return {
        "iss": facts.issuer,
        "aud": facts.client_id,
        "iat": moment,
        "toe": moment,
        "jti": facts.jti,
        "sub_id": dict(facts.subject),
        "events": {f"{PREFIX}{facts.event}": dict(facts.details)},
    }


#: Error codes a receiver may give (RFC 8935 §2.4); anything else is no answer of one.
_REFUSALS = frozenset(
    {
        "invalid_request",
        "invalid_key",
        "invalid_issuer",
        "invalid_audience",
        "authentication_failed",
        "access_denied",
    }
)


def read_refusal(body: bytes) -> str | None:
    """Return why a receiver will never take an event, or None: this is no such answer."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = found.get("err") if isinstance(found, dict) else None
    return code if isinstance(code, str) and code in _REFUSALS else None


def name_person(issuer: str, subject: str) -> dict[str, object]:
    """Name a person as the client knows her (RFC 9493 §3.2.4)."""
    return {"format": "iss_sub", "iss": issuer, "sub": subject}


def name_household(household: str) -> dict[str, object]:
    """Name a household by the id that its claims have at this client (RFC 9493 §3.2.5)."""
    return {"format": "opaque", "id": household}


def name_document(address: str) -> dict[str, object]:
    """Name a document by its address (RFC 9493 §3.2.7)."""
    return {"format": "uri", "uri": address}
