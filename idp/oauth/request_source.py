"""Which parameters count: those of the address, of a pushed request, or of a request object."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.client_signatures import open_client_token
from idp.domain.grants.pushed_requests import PREFIX, find_pushed_request
from idp.oauth.provider import Provider
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import DisplayedError, RedirectedError
from idp.protocol.params import Params
from idp.protocol.request_object import allowed_algorithms, read_request_object, refused_object


@dataclass(frozen=True)
class Source:
    """The parameters that count, and what is wrong with the way they came."""

    params: Params
    error: RedirectedError | None = None
    #: Names the pushed request, if it was one.
    pushed_id: str | None = None


def find_source(
    db: Session, params: Params, client: RegisteredClient, *, provider: Provider, now: datetime
) -> Source:
    """Return the parameters of a request; whatever stands beside a reference is ignored.

    An error is returned, not raised: it can only be answered once a reply target is verified.

    Raises:
        DisplayedError: `request_uri_unknown`: no request of this client, so no address either.
        KeysWanted: the client's keys have to be fetched first.
        ObjectWanted: its request object has to be fetched first.
    """
    reference = params.values.get("request_uri", "")
    if reference.startswith(PREFIX):
        return _find_pushed(db, reference, client, now=now)
    if client.needs_pushed_request:
        error = RedirectedError("invalid_request", "Requests of this client must be pushed.")
        return Source(params, error)
    try:
        return Source(open_request(params, client, provider=provider, now=now))
    except RedirectedError as refused:
        return Source(params, refused)


def open_request(
    params: Params, client: RegisteredClient, *, provider: Provider, now: datetime
) -> Params:
    """Return the parameters of the request object if there is one, else those beside it.

    Raises:
        RedirectedError: the object cannot be had, is not the client's, or is missing.
        KeysWanted: the client's keys have to be fetched first.
        ObjectWanted: the object has to be fetched first.
    """
    text = _find_object(params, client, provider=provider, now=now)
    if text is None:
        if client.require_signed_request_object:
            raise RedirectedError("invalid_request", "A signed request object is required.")
        return params
    opened = open_client_token(
        text,
        client,
        algorithms=allowed_algorithms(client),
        client_keys=provider.client_keys,
        now=now,
    )
    if opened is None:
        raise refused_object("The request object is not signed by the client.")
    return read_request_object(
        opened.header, opened.claims, client, issuer=provider.issuer, now=now
    )


def _find_object(
    params: Params, client: RegisteredClient, *, provider: Provider, now: datetime
) -> str | None:
    """Return the object by value or by reference; without keys or addresses, neither is offered.

    Only what is registered is called, letter by letter; a fragment tells versions apart
    (OIDC Core §6.2, SR-01).
    """
    text, uri = params.values.get("request"), params.values.get("request_uri")
    if text is not None and uri is not None:
        # RFC 9101 §5: they must not stand together.
        raise RedirectedError("invalid_request", "Send either request or request_uri.")
    has_keys = client.jwks is not None or client.jwks_uri is not None
    if text is not None and not has_keys:
        raise RedirectedError("request_not_supported", "The client has registered no keys.")
    if uri is None:
        return text
    if not has_keys or not client.request_uris:
        raise RedirectedError("request_uri_not_supported", "The client has registered no address.")
    if uri not in client.request_uris and uri.partition("#")[0] not in client.request_uris:
        raise RedirectedError("invalid_request_uri", "The request_uri is not registered.")
    text = provider.request_objects.of(uri, now=now)
    if text is None:
        raise RedirectedError("invalid_request_uri", "The request_uri has no request object.")
    return text


def _find_pushed(db: Session, reference: str, client: RegisteredClient, *, now: datetime) -> Source:
    """Return what was pushed; a used or expired one still says where its error belongs."""
    found = find_pushed_request(db, reference, client_id=client.client_id, now=now)
    if found is None:
        raise DisplayedError("request_uri_unknown")
    error = None
    if found.refusal is not None:
        error = RedirectedError("invalid_request_uri", "The request_uri is not valid any more.")
    return Source(found.params, error, found.id)
