"""The page of one household in the staff console: members, children, proxies in and out."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.access.proxies import ProxyCase
from idp.domain.staff.control import Outcome
from idp.domain.staff.dossier import view_household
from idp.domain.staff.family import register_child, take_out_proxy
from idp.domain.staff.fields import Fault, FieldReader
from idp.domain.staff.issuance import AddedProxy, add_proxy
from idp.domain.staff.registration import RegistrationFault
from idp.domain.staff.roles import Permission
from idp.domain.staff.typed import read_child, read_proxy
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.render import see_other
from idp.web.staff.desk import console, fault_errors, my_desk, my_post
from idp.web.staff.family_form import (
    CHILD_FIELDS,
    PROXY_FIELDS,
    Row,
    new_proxy,
    typed_child,
    typed_proxy,
)

bp = Blueprint("staff_household", __name__, url_prefix="/staff/households")


@bp.get("/<uuid:household_id>")
@staff(Permission.VIEW_PEOPLE)
def show_household(household_id: UUID) -> Response:
    """Show who belongs to a household."""
    return _page("staff/household.html", household_id)


@bp.get("/<uuid:household_id>/proxies/new")
@staff(Permission.MANAGE_MEMBERS)
def ask_proxy(household_id: UUID) -> Response:
    """Show the form of a proxy."""
    return _page("staff/proxy_new.html", household_id, new_proxy(now=services().clock()))


@bp.post("/<uuid:household_id>/proxies/new")
@staff(Permission.MANAGE_MEMBERS)
def submit_proxy(household_id: UUID) -> Response:
    """Add a proxy, issue the account, tell both sides."""
    now = services().clock()
    row = {name: request.form.get(name, "") for name in PROXY_FIELDS}
    reader = FieldReader()
    proxy = read_proxy(reader, typed_proxy("", row), now=now)
    if proxy is None or reader.faults:
        return _page("staff/proxy_new.html", household_id, row, tuple(reader.faults))
    with transaction(services().sessions) as db:
        outcome = add_proxy(db, my_desk(), household_id, proxy, post=my_post(), now=now)
    match outcome:
        case AddedProxy():
            return see_other(f"/staff/households/{household_id}?done=proxy_added")
        case RegistrationFault.HOUSEHOLD_UNKNOWN:
            raise NotFound
        case RegistrationFault():
            faults = (Fault("", outcome.value),)
            return _page("staff/proxy_new.html", household_id, row, faults)


@bp.get("/<uuid:household_id>/proxies/<uuid:membership_id>/remove")
@staff(Permission.MANAGE_MEMBERS)
def ask_removal(household_id: UUID, membership_id: UUID) -> Response:
    """Ask whether this proxy is to be taken out."""
    return _page("staff/proxy_remove.html", household_id, membership_id=membership_id)


@bp.post("/<uuid:household_id>/proxies/<uuid:membership_id>/remove")
@staff(Permission.MANAGE_MEMBERS)
def remove(household_id: UUID, membership_id: UUID) -> Response:
    """Take a proxy out, at once."""
    case = ProxyCase(household_id=household_id, membership_id=membership_id)
    with transaction(services().sessions) as db:
        outcome = take_out_proxy(db, my_desk(), case, post=my_post(), now=services().clock())
    if outcome is not Outcome.DONE:
        raise NotFound
    return see_other(f"/staff/households/{household_id}?done=proxy_removed")


@bp.get("/<uuid:household_id>/children/new")
@staff(Permission.MANAGE_MEMBERS)
def ask_child(household_id: UUID) -> Response:
    """Show the form of a child."""
    return _page("staff/child_new.html", household_id)


@bp.post("/<uuid:household_id>/children/new")
@staff(Permission.MANAGE_MEMBERS)
def submit_child(household_id: UUID) -> Response:
    """Write another child into the household."""
    row = {name: request.form.get(name, "") for name in CHILD_FIELDS}
    reader, now = FieldReader(), services().clock()
    child = read_child(reader, typed_child("", row), now=now)
    if child is None or reader.faults:
        return _page("staff/child_new.html", household_id, row, tuple(reader.faults))
    with transaction(services().sessions) as db:
        outcome = register_child(db, my_desk(), household_id, child, now=now)
    if outcome is not Outcome.DONE:
        raise NotFound
    return see_other(f"/staff/households/{household_id}?done=child_added")


def _page(
    template: str,
    household_id: UUID,
    values: Row | None = None,
    faults: tuple[Fault, ...] = (),
    *,
    membership_id: UUID | None = None,
) -> Response:
    with transaction(services().sessions) as db:
        dossier = view_household(db, my_desk(), household_id, now=services().clock())
    if dossier is None:
        raise NotFound
    chosen = [each for each in dossier.proxies() if each.membership_id == membership_id]
    if membership_id is not None and not chosen:
        raise NotFound
    return console(
        template,
        "search",
        422 if faults else 200,
        dossier=dossier,
        proxy=chosen[0] if chosen else None,
        values=values or {},
        errors=fault_errors(faults),
    )
