"""The search page of the staff console: its first page."""

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.base.text import has_control
from idp.db.session import transaction
from idp.domain.staff.roles import Permission
from idp.domain.staff.search import LONGEST_QUERY, SearchQuery, search_people
from idp.domain.staff.standing import MailStanding, Standing
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.paging import page_number
from idp.web.staff.desk import console, fault_error, my_desk, start_of

bp = Blueprint("staff_search", __name__, url_prefix="/staff")


@bp.get("/")
@staff(Permission.VIEW_PEOPLE, elsewhere=start_of)
def show_search() -> Response:
    """Find families by name, reading, address, number or child; others start at their page."""
    text = request.args.get("q", "")
    standing, mail = request.args.get("status", ""), request.args.get("mail", "")
    values = {"q": text, "status": standing, "mail": mail}
    if has_control(text) or len(text) > LONGEST_QUERY:
        errors = [fault_error("q", "query")]
        shown = values | {"q": "" if has_control(text) else text}
        return console("staff/search.html", "search", 422, errors=errors, values=shown)
    query = SearchQuery(
        text=text,
        standing=Standing(standing) if standing in set(Standing) else None,
        mail=MailStanding(mail) if mail in set(MailStanding) else None,
        page=page_number(),
    )
    with transaction(services().sessions) as db:
        found = search_people(db, my_desk(), query, now=services().clock())
    if found is None:
        raise NotFound
    return console("staff/search.html", "search", found=found, values=values)
