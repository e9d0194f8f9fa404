"""The way out of a sign-in that a service waits for."""

from flask import Blueprint
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.signin.interactions import record_denial
from idp.web.deps import services
from idp.web.guards import open_to_all
from idp.web.signin.walks import continue_flow, require_walk

bp = Blueprint("signin_cancel", __name__)


@bp.post("/cancel")
@open_to_all
def cancel() -> Response:
    """End the walk; the service hears access_denied from the dispatcher."""
    walk = require_walk()
    with transaction(services().sessions) as db:
        record_denial(db, walk.id, now=services().clock())
    return continue_flow(walk.id)
