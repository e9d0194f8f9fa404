"""The endpoint where devices ask for their codes (RFC 8628)."""

from flask import Blueprint, Response

from idp.oauth.calls import Call, refuse
from idp.oauth.device_authorization import answer_device_call
from idp.protocol.errors import EndpointError
from idp.protocol.params import parse_params
from idp.web.client_calls import in_transaction, send
from idp.web.deps import services
from idp.web.guards import client_endpoint
from idp.web.limits import check_rate
from idp.web.oidc.calls import read_call
from idp.web.provider import current_provider

bp = Blueprint("oidc_device_authorization", __name__)


@bp.post("/device_authorization")
@client_endpoint
def open_device() -> Response:
    """Make the codes of a device; each call leaves a row, so their rate is limited."""
    check_rate()
    try:
        call = read_call()
    except EndpointError as error:
        return send(refuse(error, Call(parse_params(()), None)))
    provider, now = current_provider(), services().clock()
    return send(in_transaction(lambda db: answer_device_call(db, call, provider=provider, now=now)))
