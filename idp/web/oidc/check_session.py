"""The page that services load in a frame to watch the session (check_session_iframe)."""

from flask import Blueprint, Response, current_app

from idp.web.cookies import cookie_name
from idp.web.deps import allow_framing
from idp.web.guards import client_endpoint

bp = Blueprint("oidc_check_session", __name__)

_SECONDS = 3_600


@bp.get("/check_session")
@client_endpoint
def check_session() -> Response:
    """Give every service the same small page; what it says is decided in the browser.

    Any site may frame it: it knows nobody, and tells "unchanged" only to whoever brings a
    `session_state` that was made for its own origin.
    """
    # Without the facts of other pages: the same for everyone, kept by browsers, asks no database.
    template = current_app.jinja_env.get_template("oidc/check_session.html")
    response = Response(template.render(cookie_name=cookie_name("state")), mimetype="text/html")
    response.headers["Cache-Control"] = f"public, max-age={_SECONDS}"
    allow_framing()
    return response
