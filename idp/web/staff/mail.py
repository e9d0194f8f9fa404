"""The work list of the staff console: who has not started, why, and sending again."""

from flask import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.staff.delivery import view_waiting
from idp.domain.staff.resending import send_again_to_waiting
from idp.domain.staff.roles import Permission
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.render import see_other
from idp.web.staff.desk import console, my_desk, my_post, page_number

bp = Blueprint("staff_mail", __name__, url_prefix="/staff")


@bp.get("/mail")
@staff(Permission.VIEW_MAIL)
def show_waiting() -> Response:
    """List everyone who was issued an account and has not started."""
    with transaction(services().sessions) as db:
        waiting = view_waiting(db, my_desk(), page_number(), now=services().clock())
    if waiting is None:
        raise NotFound
    return console("staff/mail.html", "mail", waiting=waiting)


@bp.post("/mail/send-again")
@staff(Permission.ISSUE)
def send_to_waiting() -> Response:
    """Mail the notice again to everyone who has not started."""
    with transaction(services().sessions) as db:
        send_again_to_waiting(db, my_desk(), post=my_post(), now=services().clock())
    return see_other("/staff/mail?done=sent_again")
