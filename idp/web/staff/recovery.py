"""Help at the counter in the staff console: check who it is, then let her start anew."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.base.contact import ContactError, parse_mail_address
from idp.db.session import transaction
from idp.domain.staff.control import Case
from idp.domain.staff.dossier import view_person
from idp.domain.staff.recovery import (
    CounterCheck,
    DocumentKind,
    IdentityFact,
    RecoveryOutcome,
    recover,
)
from idp.domain.staff.roles import Permission
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.render import FieldError, see_other
from idp.web.staff.desk import console, fault_error, my_desk, my_post

bp = Blueprint("staff_recovery", __name__, url_prefix="/staff/people")

#: Which field a refusal belongs to.
_FIELDS = {
    RecoveryOutcome.TOO_FEW_FACTS: "facts",
    RecoveryOutcome.NO_DOCUMENT: "document",
    RecoveryOutcome.REASON: "reason",
    RecoveryOutcome.NO_ADDRESS: "email",
    RecoveryOutcome.NOT_NOW: "",
}


@bp.get("/<uuid:account_id>/recover")
@staff(Permission.RECOVER)
def ask(account_id: UUID) -> Response:
    """Show what to check before anything is changed."""
    return _page(account_id)


@bp.post("/<uuid:account_id>/recover")
@staff(Permission.RECOVER)
def submit(account_id: UUID) -> Response:
    """Void what was, and mail the notice to the right address."""
    try:
        email = parse_mail_address(request.form["email"]) if request.form.get("email") else None
    except ContactError as error:
        return _page(account_id, fault_error("email", error.reason))
    check = CounterCheck(
        case=Case(account_id, request.form.get("reason", "")),
        facts=frozenset(fact for fact in IdentityFact if request.form.get(f"fact_{fact.value}")),
        document=_document(request.form.get("document", "")),
        email=email,
    )
    with transaction(services().sessions) as db:
        outcome = recover(db, my_desk(), check, post=my_post(), now=services().clock())
    match outcome:
        case RecoveryOutcome.DONE:
            return see_other(f"/staff/people/{account_id}?done=recovered")
        case RecoveryOutcome.UNKNOWN:
            raise NotFound
        case _:
            return _page(account_id, fault_error(_FIELDS[outcome], outcome.value))


def _document(text: str) -> DocumentKind | None:
    return DocumentKind(text) if text in set(DocumentKind) else None


def _page(account_id: UUID, error: FieldError | None = None) -> Response:
    with transaction(services().sessions) as db:
        dossier = view_person(db, my_desk(), account_id, now=services().clock())
    if dossier is None:
        raise NotFound
    return console(
        "staff/recover.html",
        "search",
        422 if error else 200,
        dossier=dossier,
        facts=[fact.value for fact in IdentityFact],
        documents=[kind.value for kind in DocumentKind],
        errors=[error] if error else [],
        values=request.form if error else {"email": dossier.email or ""},
    )
