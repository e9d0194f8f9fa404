"""Registering a family in the staff console: the form, the check page, the act."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.staff.applications import FamilyApplication
from idp.domain.staff.family import HouseholdChoice, HouseholdFault
from idp.domain.staff.fields import Fault
from idp.domain.staff.intake import Intake, IntakeWish, take_in
from idp.domain.staff.issuance import AlreadyRegistered, IssueOutcome
from idp.domain.staff.registration import RegistrationFault
from idp.domain.staff.roles import Permission
from idp.domain.staff.typed import MOST_CHILDREN, MOST_PROXIES, parse_family
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.render import see_other
from idp.web.staff.desk import console, fault_errors, my_desk, my_post
from idp.web.staff.family_form import (
    FamilyForm,
    add_row,
    new_form,
    read_form,
    remove_row,
    typed_family,
)

bp = Blueprint("staff_register", __name__, url_prefix="/staff/register")


@bp.get("")
@staff(Permission.ISSUE)
def show_form() -> Response:
    """Show the empty form."""
    return _form_page(new_form(now=services().clock()))


@bp.post("")
@staff(Permission.ISSUE)
def submit() -> Response:
    """Add or remove a row, show the check page, or register."""
    form = read_form(request.form)
    if kind := request.form.get("add"):
        return _form_page(add_row(form, kind, now=services().clock()))
    if which := request.form.get("remove"):
        return _form_page(remove_row(form, which))
    if request.form.get("edit"):
        return _form_page(form)
    application = parse_family(typed_family(form), now=services().clock())
    if isinstance(application, tuple):
        return _form_page(form, application)
    if form.guardian["household"] not in set(HouseholdChoice):
        return _form_page(form, (Fault("household", "choice"),))
    return _take_in(form, application)


def _take_in(form: FamilyForm, application: FamilyApplication) -> Response:
    wish = IntakeWish(request.form.get("step", ""))
    choice = HouseholdChoice(form.guardian["household"])
    intake = Intake(application=application, household=choice, wish=wish)
    with transaction(services().sessions) as db:
        outcome = take_in(db, my_desk(), intake, post=my_post(), now=services().clock())
    match outcome:
        case None:
            return console(
                "staff/register_check.html",
                "register",
                application=application,
                values=form.values(),
            )
        case AlreadyRegistered(account_id):
            return see_other(f"/staff/people/{account_id}?done=known")
        case HouseholdFault():
            return _form_page(form, (Fault("application_number", outcome.value),))
        case RegistrationFault():
            return _form_page(form, (Fault("", outcome.value),))
        case _:
            return see_other(f"/staff/people/{outcome.guardian_id}?done={_said(outcome.issued)}")


def _said(issued: IssueOutcome | None) -> str:
    if issued is None:
        return "drafted"
    return "registered" if issued is IssueOutcome.MAILED else "registered_no_mail"


def _form_page(form: FamilyForm, faults: tuple[Fault, ...] = ()) -> Response:
    return console(
        "staff/register.html",
        "register",
        422 if faults else 200,
        values=form.values(),
        child_count=len(form.children),
        proxy_count=len(form.proxies),
        most_children=MOST_CHILDREN,
        most_proxies=MOST_PROXIES,
        errors=fault_errors(faults),
    )
