"""The endpoint that takes pushed authorization requests (RFC 9126)."""

from flask import Blueprint, Response

from idp.db.session import transaction
from idp.oauth.calls import Call, refuse
from idp.oauth.pushed_requests import answer_pushed_request_call
from idp.protocol.errors import EndpointError
from idp.protocol.params import parse_params
from idp.web.client_calls import send
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
    with transaction(services().sessions) as db:
        answer = answer_pushed_request_call(
            db, call, provider=current_provider(), now=services().clock()
        )
    return send(answer)
