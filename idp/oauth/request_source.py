"""Which parameters count: those of the address, or those that the client pushed before."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.pushed_requests import PREFIX, find_pushed_request
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import DisplayedError, RedirectedError
from idp.protocol.params import Params


@dataclass(frozen=True)
class Source:
    """The parameters that count, and what is wrong with the way they came."""

    params: Params
    error: RedirectedError | None = None
    #: Names the pushed request, if it was one.
    pushed_id: str | None = None


def find_source(db: Session, params: Params, client: RegisteredClient, *, now: datetime) -> Source:
    """Return the parameters of a request; whatever stands beside a reference is ignored.

    An error is returned, not raised: it can only be answered once a reply target is verified.

    Raises:
        DisplayedError: `request_uri_unknown`: no request of this client, so no address either.
    """
    reference = params.values.get("request_uri", "")
    if reference.startswith(PREFIX):
        return _find_pushed(db, reference, client, now=now)
    if client.needs_pushed_request:
        error = RedirectedError("invalid_request", "Requests of this client must be pushed.")
        return Source(params, error)
    return Source(params)


def _find_pushed(db: Session, reference: str, client: RegisteredClient, *, now: datetime) -> Source:
    """Return what was pushed; a used or expired one still says where its error belongs."""
    found = find_pushed_request(db, reference, client_id=client.client_id, now=now)
    if found is None:
        raise DisplayedError("request_uri_unknown")
    error = None
    if found.refusal is not None:
        error = RedirectedError("invalid_request_uri", "The request_uri is not valid any more.")
    return Source(found.params, error, found.id)
