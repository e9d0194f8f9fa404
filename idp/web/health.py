"""What the supervisor and the proxy ask: alive, and ready to serve."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from idp.db.errors import UNAVAILABLE
from idp.db.session import ping
from idp.web.deps import services
from idp.web.errors import RETRY_SECONDS
from idp.web.guards import client_endpoint
from idp.web.maintenance import closed_until

_COME_BACK = {"Retry-After": str(RETRY_SECONDS)}

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("/live")
@client_endpoint
def live() -> ResponseReturnValue:
    """Answer as long as the process answers at all."""
    return jsonify({"status": "alive"})


@bp.get("/ready")
@client_endpoint
def ready() -> ResponseReturnValue:
    """Answer 200 when the database answers, else 503.

    While maintenance is announced and running the answer is 200 without a look at the
    database: a proxy must keep sending people here, where a page tells them until when.
    """
    if closed_until() is not None:
        return jsonify({"status": "maintenance"})
    try:
        ping(services().sessions)
    except UNAVAILABLE:
        return jsonify({"status": "waiting for the database"}), 503, _COME_BACK
    return jsonify({"status": "ready"})
