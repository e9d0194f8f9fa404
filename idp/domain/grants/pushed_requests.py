"""Pushed authorization requests: keep one, find it again, use it up (RFC 9126)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from idp.base.secret import digest, from_base64url, new_token, to_base64url
from idp.db.rows import change, fetch_one
from idp.model.grants import PushedRequest
from idp.protocol.params import Params, parse_params

#: How a reference to a pushed request begins (RFC 9126 §2.2).
PREFIX = "urn:ietf:params:oauth:request_uri:"
#: FAPI 2.0 §5.3.2.2 allows up to ten minutes; a browser is sent here at once.
LIFETIME = timedelta(seconds=90)

_pushed: Any = PushedRequest.__table__
_NEW = insert(_pushed)
_FIND = select(_pushed).where(_pushed.c.uri_digest == bindparam("digest"))
_COMPLETE = (
    update(_pushed)
    .where(_pushed.c.uri_digest == bindparam("digest"), _pushed.c.completed_at.is_(None))
    .values(completed_at=bindparam("at"))
)


class PushedRefusal(StrEnum):
    """Why a pushed request is not followed any more; the client hears `invalid_request_uri`."""

    EXPIRED = "request_uri_expired"
    COMPLETED = "request_uri_completed"


@dataclass(frozen=True)
class FoundRequest:
    """A pushed request as it was checked, and whether it may still be used."""

    #: Names it in the walk that it leads to; the reference itself is not kept.
    id: str
    params: Params
    refusal: PushedRefusal | None


def push_request(
    db: Session, client_id: str, pairs: Iterable[tuple[str, str]], *, now: datetime
) -> str:
    """Keep a checked request and return the reference to it; only its digest is stored."""
    request_uri = PREFIX + new_token()
    change(
        db,
        _NEW,
        {
            "uri_digest": digest(request_uri),
            "client_id": client_id,
            "params": {"pairs": [list(pair) for pair in pairs]},
            "created_at": now,
            "expires_at": now + LIFETIME,
        },
    )
    return request_uri


def find_pushed_request(
    db: Session, request_uri: str, *, client_id: str, now: datetime
) -> FoundRequest | None:
    """Return the request that this very client has pushed (RFC 9126 §4), used up or not."""
    row = fetch_one(db, _FIND, {"digest": digest(request_uri)})
    if row is None or row.client_id != client_id:
        return None
    refusal = None
    if row.completed_at is not None:
        refusal = PushedRefusal.COMPLETED
    elif row.expires_at <= now:
        refusal = PushedRefusal.EXPIRED
    pairs = [(name, value) for name, value in row.params["pairs"]]
    return FoundRequest(to_base64url(row.uri_digest), parse_params(pairs), refusal)


def complete_pushed_request(db: Session, pushed_id: str, *, now: datetime) -> bool:
    """Use a pushed request up; of several walks that it led to, one gets True.

    It is used up by its answer, not by a visit: a browser may load an address twice
    (RFC 9126 §4, FAPI 2.0 §5.3.2.2). The condition in the UPDATE is the lock.
    """
    return change(db, _COMPLETE, {"digest": from_base64url(pushed_id), "at": now}) == 1
