"""What services have not taken: logout calls and security events (administrators)."""

from uuid import UUID

from flask import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.backstage.deliveries import try_again, view_deliveries
from idp.domain.staff.roles import Permission
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.paging import page_number
from idp.web.render import language, see_other

bp = Blueprint("admin_deliveries", __name__, url_prefix="/admin/deliveries")


@bp.get("")
@staff(Permission.MANAGE_CLIENTS)
def show() -> Response:
    """List the calls that failed, or that wait for their next try."""
    with reading(services().sessions) as db:
        found = view_deliveries(db, page_number())
    if found is None:
        raise NotFound
    names = {
        each.client_id: each.client.name_in(language()) if each.client else each.client_id
        for each in found.deliveries
    }
    return console("admin/deliveries.html", "deliveries", found=found, names=names)


@bp.post("/<uuid:row_id>/try")
@staff(Permission.MANAGE_CLIENTS)
def submit_try(row_id: UUID) -> Response:
    """Have one call tried now."""
    with transaction(services().sessions) as db:
        is_tried = try_again(db, row_id, actor=current_actor(), now=services().clock())
    return see_other(f"/admin/deliveries?done={'tried' if is_tried else 'not_tried'}")
