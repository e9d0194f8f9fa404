"""Pages that help, open to everyone, the same with and without a sign-in."""

from flask import Blueprint
from werkzeug.wrappers import Response

from idp.web.deps import services
from idp.web.guards import open_to_all
from idp.web.render import page

bp = Blueprint("signin_help", __name__)


@bp.get("/help/mail")
@open_to_all
def show_mail() -> Response:
    """Say what to do when a mail does not come (A18, B23)."""
    return page("signin/help_mail.html")


@bp.get("/help/no-mail")
@open_to_all
def show_no_mail() -> Response:
    """Say what a family without e-mail can do (A40, A41)."""
    return page("signin/help_no_mail.html")


@bp.get("/help/first-time")
@open_to_all
def show_first_time() -> Response:
    """Say how to begin (A06)."""
    return page("signin/help_first_time.html")


@bp.get("/help/shared-device")
@open_to_all
def show_shared_device() -> Response:
    """Say how to use a device that other people use too (B18, B48, B49)."""
    return page("signin/help_shared.html", minutes=services().settings.session.shared_idle_minutes)


@bp.get("/help/phishing")
@open_to_all
def show_phishing() -> Response:
    """Say how to tell a false mail or site from ours (B50, B51, B52)."""
    return page("signin/phishing.html")


@bp.get("/accessibility")
@open_to_all
def show_accessibility() -> Response:
    """Say what these pages aim at and what is known not to work."""
    return page("account/accessibility.html")
