"""Changes to one person in the staff console, each with a reason on a page of its own."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.base.contact import ContactError, parse_mail_address
from idp.db.session import transaction
from idp.domain.staff import control
from idp.domain.staff.control import AddressCase, Case, Change, Outcome
from idp.domain.staff.dossier import PersonDossier, view_person
from idp.domain.staff.roles import Permission
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.render import see_other
from idp.web.staff.desk import console, fault_error, my_desk, my_post

bp = Blueprint("staff_changes", __name__, url_prefix="/staff/people")

_ACTIONS = "any(suspend, resume, close, unlock)"


@bp.get(f"/<uuid:account_id>/<{_ACTIONS}:action>")
@staff(Permission.SUSPEND)
def ask(account_id: UUID, action: str) -> Response:
    """Ask for the reason, and say what will happen."""
    return _page(account_id, action)


@bp.post(f"/<uuid:account_id>/<{_ACTIONS}:action>")
@staff(Permission.SUSPEND)
def act(account_id: UUID, action: str) -> Response:
    """Suspend, resume, close or unlock."""
    case = Case(account_id=account_id, reason=request.form.get("reason", ""))
    with transaction(services().sessions) as db:
        outcome = control.change(
            db, my_desk(), Change(action), case, post=my_post(), now=services().clock()
        )
    return _answer(account_id, action, outcome)


@bp.get("/<uuid:account_id>/address")
@staff(Permission.CORRECT)
def ask_address(account_id: UUID) -> Response:
    """Ask for the right address and the reason."""
    return _page(account_id, "address")


@bp.post("/<uuid:account_id>/address")
@staff(Permission.CORRECT)
def correct_address(account_id: UUID) -> Response:
    """Correct the address and mail the notice there."""
    case = Case(account_id=account_id, reason=request.form.get("reason", ""))
    try:
        email = parse_mail_address(request.form.get("email", ""))
    except ContactError as error:
        return _page(account_id, "address", ("email", error.reason))
    with transaction(services().sessions) as db:
        wanted = AddressCase(case, email)
        outcome = control.correct_address(
            db, my_desk(), wanted, post=my_post(), now=services().clock()
        )
    return _answer(account_id, "address", outcome)


def _answer(account_id: UUID, action: str, outcome: Outcome) -> Response:
    match outcome:
        case Outcome.DONE:
            return see_other(f"/staff/people/{account_id}?done={action}")
        case Outcome.UNKNOWN:
            raise NotFound
        case Outcome.REASON:
            return _page(account_id, action, ("reason", "reason"))
        case Outcome.NOT_NOW:
            return _page(account_id, action, ("", f"not_now_{action}"))


def _page(account_id: UUID, action: str, fault: tuple[str, str] | None = None) -> Response:
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
        action=action,
        errors=errors,
        values=request.form if fault else _start(dossier),
    )


def _start(dossier: PersonDossier) -> dict[str, str]:
    return {"email": dossier.email or ""}
