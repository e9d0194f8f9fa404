"""The address of the dispatcher: where every page of a walk leads."""

from flask import Blueprint
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.web.cookies import read_cookie
from idp.web.deps import services
from idp.web.guards import open_to_all
from idp.web.signin.onward import find_way, go
from idp.web.signin.walks import load_named_walk, no_walk_page

bp = Blueprint("signin_flow", __name__)


@bp.get("/continue")
@open_to_all
def dispatch() -> Response:
    """Look at the walk and go where it needs to go: a page, the service, the home page.

    A GET that writes: it ends the walk that the person has just gone through, as the
    authorization endpoint it continues does.
    """
    with transaction(services().sessions) as db:
        found = load_named_walk(db)
        way = None if found is None else find_way(db, found, read_cookie("session"))
    return no_walk_page() if way is None else go(way)
