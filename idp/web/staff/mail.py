"""The work list of the staff console: who has not started, why, and sending again."""

import functools

from flask import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.base.csvtext import write_csv
from idp.base.dates import TOKYO
from idp.db.session import transaction
from idp.domain.staff.delivery import export_waiting, view_waiting
from idp.domain.staff.resending import send_again_to_waiting
from idp.domain.staff.roles import Permission
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.paging import page_number
from idp.web.render import language, see_other
from idp.web.staff.desk import console, my_desk, my_post

_COLUMNS = ("name", "kana", "email", "issued_at", "why")

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


@bp.get("/mail.csv")
@staff(Permission.VIEW_MAIL)
def export() -> Response:
    """Give the same list as a file for a spreadsheet."""
    with transaction(services().sessions) as db:
        people = export_waiting(db, my_desk(), now=services().clock())
    say = functools.partial(services().texts.get, language())
    head = tuple(say(f"staff.field.{name}") for name in _COLUMNS)
    rows = tuple(
        (
            person.name,
            person.kana,
            person.email or "",
            person.issued_at.astimezone(TOKYO).isoformat(timespec="seconds")
            if person.issued_at
            else "",
            say(f"staff.stage.{person.stage.value}.label"),
        )
        for person in people
    )
    answer = Response(write_csv((head, *rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=not-started.csv"
    return answer


@bp.post("/mail/send-again")
@staff(Permission.ISSUE)
def send_to_waiting() -> Response:
    """Mail the notice again to everyone who has not started."""
    with transaction(services().sessions) as db:
        send_again_to_waiting(db, my_desk(), post=my_post(), now=services().clock())
    return see_other("/staff/mail?done=sent_again")
