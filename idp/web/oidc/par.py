"""The endpoint that takes pushed authorization requests (RFC 9126)."""

from flask import Blueprint, Response

from idp.oauth.calls import Call, refuse
from idp.oauth.pushed_requests import answer_pushed_request_call
from idp.protocol.errors import EndpointError
from idp.protocol.params import parse_params
from idp.web.client_calls import in_transaction, send
from idp.web.deps import services
from idp.web.guards import client_endpoint
from idp.web.oidc.calls import read_call
from idp.web.provider import current_provider

bp = Blueprint("oidc_par", __name__)


@bp.post("/par")
@client_endpoint
def push_request() -> Response:
    """Keep an authorization request and return the reference to it."""
    try:
        call = read_call()
    except EndpointError as error:
        return send(refuse(error, Call(parse_params(()), None)))
    provider, now = current_provider(), services().clock()
    return send(
        in_transaction(lambda db: answer_pushed_request_call(db, call, provider=provider, now=now))
    )
