"""The endpoint where clients push their authorization requests (RFC 9126 §2)."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.pushed_requests import LIFETIME, push_request
from idp.oauth.authorization import check_request
from idp.oauth.calls import Answer, Call, check_form, refuse
from idp.oauth.client_authentication import authenticate_client
from idp.oauth.proofs import resolve_key
from idp.oauth.provider import Provider
from idp.oauth.request_source import open_request
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import DisplayedError, EndpointError, RedirectedError
from idp.protocol.params import Params, parse_params

#: What proves the client is no part of its request.
_PROOFS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


def answer_pushed_request_call(
    db: Session, call: Call, *, provider: Provider, now: datetime
) -> Answer:
    """Check a request as the authorization endpoint would, and keep it for a short time."""
    try:
        check_form(call.params)
        client = authenticate_client(db, call, provider=provider, now=now)
        key = resolve_key(db, call, provider=provider, now=now)
        params = _bind(_read_request(call.params, client, provider=provider, now=now), key)
        _check(db, params, client, provider=provider, now=now)
    except EndpointError as error:
        return refuse(error, call)
    request_uri = push_request(db, client.client_id, params.pairs(), now=now)
    return Answer(
        status=201,
        body={"request_uri": request_uri, "expires_in": int(LIFETIME.total_seconds())},
        client_id=client.client_id,
    )


def _read_request(
    params: Params, client: RegisteredClient, *, provider: Provider, now: datetime
) -> Params:
    """Return the parameters of the request itself; they are the authenticated client's.

    Raises:
        EndpointError: a reference inside a pushed request (RFC 9126 §2.1), or a request
            object that is none.
    """
    if "request_uri" in params.values:
        raise EndpointError("invalid_request", "A request_uri cannot be pushed.")
    try:
        opened = open_request(params, client, provider=provider, now=now)
    except RedirectedError as error:
        raise EndpointError(error.code, error.description) from None
    if opened is not params:
        return opened
    pairs = [(name, value) for name, value in params.pairs() if name not in _PROOFS]
    if "client_id" not in params.values:
        pairs.append(("client_id", client.client_id))
    return parse_params(pairs)


def _bind(params: Params, key: str | None) -> Params:
    """Bind the code to the key that was proved here, as if it had been named (RFC 9449 §10.1).

    Raises:
        EndpointError: invalid_dpop_proof, another key was named.
    """
    if key is None or params.values.get("dpop_jkt") == key:
        return params
    if "dpop_jkt" in params.values:
        raise EndpointError(
            "invalid_dpop_proof", "The dpop_jkt is not that of the proof.", reason="dpop_jkt"
        )
    return parse_params([*params.pairs(), ("dpop_jkt", key)])


def _check(
    db: Session, params: Params, client: RegisteredClient, *, provider: Provider, now: datetime
) -> None:
    """Run every check of the authorization endpoint; each error is answered directly (§2.3).

    Raises:
        EndpointError: with the code that the authorization endpoint would have sent.
    """
    try:
        check_request(db, params, client, provider=provider, now=now)
    except DisplayedError as error:
        raise EndpointError(
            "invalid_request", "The redirect_uri is missing or not registered.", reason=error.reason
        ) from None
    except RedirectedError as error:
        raise EndpointError(error.code, error.description) from None
