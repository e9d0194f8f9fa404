"""The protection of a person in the staff console: set by one, lifted by two."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.people.protection import Lift
from idp.domain.staff.control import Case, Outcome
from idp.domain.staff.dossier import view_person
from idp.domain.staff.roles import Permission
from idp.domain.staff.shelter import keep_protected, lift_protection, protect
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.render import see_other
from idp.web.staff.desk import console, fault_error, my_desk
from idp.web.staff.person import person_page

bp = Blueprint("staff_protection", __name__, url_prefix="/staff/people")


@bp.get("/<uuid:account_id>/protect")
@staff(Permission.PROTECT)
def ask(account_id: UUID) -> Response:
    """Ask for the reason, and say what protection does."""
    return _page(account_id)


@bp.post("/<uuid:account_id>/protect")
@staff(Permission.PROTECT)
def submit(account_id: UUID) -> Response:
    """Protect a person."""
    case = Case(account_id, request.form.get("reason", ""))
    with transaction(services().sessions) as db:
        outcome = protect(db, my_desk(), case, now=services().clock())
    match outcome:
        case Outcome.DONE:
            return see_other(f"/staff/people/{account_id}?done=protected")
        case Outcome.UNKNOWN:
            raise NotFound
        case Outcome.REASON:
            return _page(account_id, ("reason", "reason"))
        case Outcome.NOT_NOW:
            return _page(account_id, ("", "not_now_protect"))


@bp.post("/<uuid:account_id>/protection/lift")
@staff(Permission.PROTECT)
def lift(account_id: UUID) -> Response:
    """Ask to lift the protection; the second member of staff who asks lifts it."""
    with transaction(services().sessions) as db:
        outcome = lift_protection(db, my_desk(), account_id, now=services().clock())
    match outcome:
        case None:
            raise NotFound
        case Lift.WAITS:
            return see_other(f"/staff/people/{account_id}?done=lift_asked")
        case Lift.LIFTED:
            return see_other(f"/staff/people/{account_id}?done=lifted")
        case Lift.SAME_PERSON | Lift.NOT_SET:
            errors = [fault_error("", f"lift_{outcome.value}")]
            return person_page(account_id, 422, errors=errors)


@bp.post("/<uuid:account_id>/protection/keep")
@staff(Permission.PROTECT)
def keep(account_id: UUID) -> Response:
    """Refuse a wish to lift the protection."""
    with transaction(services().sessions) as db:
        kept = keep_protected(db, my_desk(), account_id, now=services().clock())
    if kept is Outcome.UNKNOWN:
        raise NotFound
    return see_other(f"/staff/people/{account_id}?done=kept")


def _page(account_id: UUID, fault: tuple[str, str] | None = None) -> Response:
    errors = [fault_error(*fault)] if fault else []
    with transaction(services().sessions) as db:
        dossier = view_person(db, my_desk(), account_id, now=services().clock())
    if dossier is None:
        raise NotFound
    return console(
        "staff/change.html",
        "search",
        422 if fault else 200,
        dossier=dossier,
        action="protect",
        errors=errors,
        values=request.form,
    )
