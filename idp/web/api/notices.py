"""The API for services: mails to households (A33), and what waits for them (A31)."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from idp.oauth.calls import Answer, Call
from idp.oauth.household_calls import answer_notification, answer_pending
from idp.protocol.params import parse_params
from idp.web import client_calls
from idp.web.deps import peer_address, services
from idp.web.guards import client_endpoint
from idp.web.provider import current_provider

bp = Blueprint("api_notices", __name__, url_prefix="/api")


@bp.post("/notifications")
@client_endpoint
def notify() -> Response:
    """Mail everyone of a household who may get it."""
    return _run(answer_notification)


@bp.put("/pending-notices")
@client_endpoint
def report() -> Response:
    """Note how many things wait for a household."""
    return _run(answer_pending)


def _run(operation: Callable[..., Answer]) -> Response:
    call = Call(parse_params(()), request.headers.get("Authorization"), peer_address())
    if request.mimetype != "application/json":
        return client_calls.send_json(
            {"error": "invalid_request", "error_description": "The body must be JSON."}, status=415
        )
    body, provider, now = request.get_data(), current_provider(), services().clock()
    answer = client_calls.in_transaction(
        lambda db: operation(db, call, body, provider=provider, now=now)
    )
    return client_calls.send(answer)
