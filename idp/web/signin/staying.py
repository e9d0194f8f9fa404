"""Going on before the session ends by itself: what the warning on a page asks for (WCAG 2.2.1)."""

import json

from flask import Blueprint, Response, abort

from idp.web.deps import current_person, services
from idp.web.guards import open_to_all
from idp.web.idle import read_idle

bp = Blueprint("signin_staying", __name__)


@bp.post("/session/keep")
@open_to_all
def submit_keep() -> Response:
    """Count as use, as every page does, and say how long there is now; nothing else changes.

    Somebody presses a button for it: a page that is only open never extends (SE-03).
    """
    person = current_person()
    if person is None:
        abort(403)
    idle = read_idle(person, now=services().clock())
    return Response(json.dumps({"seconds_left": idle.seconds_left}), mimetype="application/json")
