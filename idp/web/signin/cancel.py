"""The way out of a sign-in that a service waits for."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.signin.interactions import record_denial
from idp.web.deps import services
from idp.web.guards import open_to_all
from idp.web.signin.walks import continue_flow, no_walk_page, require_walk

bp = Blueprint("signin_cancel", __name__)


@bp.post("/cancel")
@open_to_all
def cancel() -> Response:
    """End the walk that the form names; the service hears access_denied from the dispatcher."""
    if "i" not in request.args:
        return no_walk_page()
    walk = require_walk()
    with transaction(services().sessions) as db:
        record_denial(db, walk.id, now=services().clock())
    return continue_flow(walk.id)
