"""Pictures of services, from our own origin: no page of ours loads anything from elsewhere."""

from flask import Blueprint, Response, abort

from idp.db.session import reading
from idp.domain.grants.logos import find_logo
from idp.web.deps import services
from idp.web.guards import open_to_all

bp = Blueprint("signin_logos", __name__)

_SECONDS = 31_536_000


@bp.get("/logo/<name>")
@open_to_all
def show_logo(name: str) -> Response:
    """Return a picture by the digest of its content, so that it never changes (BR-09)."""
    with reading(services().sessions) as db:
        logo = find_logo(db, name)
    if logo is None:
        abort(404)
    response = Response(logo.content, content_type=logo.content_type)
    response.headers["Cache-Control"] = f"public, max-age={_SECONDS}, immutable"
    return response
