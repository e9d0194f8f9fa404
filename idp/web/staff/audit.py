"""The audit page of the staff console: read only, one municipality's rows."""

from flask import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.staff.logbook import view_log
from idp.domain.staff.roles import Permission
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.paging import page_number
from idp.web.staff.desk import console, my_desk

bp = Blueprint("staff_audit", __name__, url_prefix="/staff")


@bp.get("/audit")
@staff(Permission.VIEW_AUDIT)
def show_log() -> Response:
    """Show who did what, the newest first."""
    with transaction(services().sessions) as db:
        log = view_log(db, my_desk(), page_number(), now=services().clock())
    if log is None:
        raise NotFound
    known = services().texts.keys("ja")
    return console("staff/audit.html", "audit", log=log, known_acts=known)
