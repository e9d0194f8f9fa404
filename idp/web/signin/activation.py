"""The page of the first activation: one more fact that only the family knows."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.dates import parse_date_parts
from idp.db.session import transaction
from idp.domain.recovery.activation import (
    ActivationStopped,
    FactRight,
    FactTaken,
    FactWrong,
    ToldFact,
    judge_fact,
    take_fact,
)
from idp.web.deps import drop_cookie, services
from idp.web.guards import open_to_all
from idp.web.render import FieldError, field_error, page, see_other
from idp.web.signin.resets import require_open_reset, reset_setup
from idp.web.signin.walks import current_visitor, find_current_walk, in_walk

bp = Blueprint("signin_activation", __name__)

_PARTS = ("birthdate_year", "birthdate_month", "birthdate_day")
#: A longer text is no application number.
_LONGEST_NUMBER = 100


@bp.get("/password/reset/check")
@open_to_all
def show_check() -> Response:
    """Ask for the application number or a child's birthdate; the waiting sign-in is not lost."""
    find_current_walk()
    opened = require_open_reset()
    if opened.is_stopped:
        return _stopped()
    if not opened.asks_fact:
        return see_other(in_walk("/password/reset/new"))
    return _form(())


@bp.post("/password/reset/check")
@open_to_all
def submit_check() -> Response:
    """Compare the fact with what the municipality has on record."""
    find_current_walk()
    opened = require_open_reset()
    if not opened.asks_fact:
        return see_other(in_walk("/password/reset/new"))
    fact, errors = _read_fact()
    if fact is None:
        return _form(errors)
    rules = reset_setup().rules
    with transaction(services().sessions) as db:
        taken = take_fact(db, opened, fact, rules=rules, now=services().clock())
    return _judge(taken) if isinstance(taken, FactTaken) else _stopped()


def _judge(taken: FactTaken) -> Response:
    rules = reset_setup().rules
    with transaction(services().sessions) as db:
        outcome = judge_fact(db, taken, current_visitor(), rules=rules, now=services().clock())
    match outcome:
        case FactRight():
            return see_other(in_walk("/password/reset/new"))
        case FactWrong(tries_left):
            field = "application_number" if taken.fact.application_number else "birthdate"
            error = field_error(field, "signin.activate_check.error.wrong")
            return _form((error,), tries_left=tries_left)
        case ActivationStopped():
            return _stopped()


def _read_fact() -> tuple[ToldFact | None, tuple[FieldError, ...]]:
    """Return what was told; a birthdate that is no date costs no try."""
    number = request.form.get("application_number", "").strip()[:_LONGEST_NUMBER]
    parts = [request.form.get(name, "").strip() for name in _PARTS]
    if not any(parts):
        if number:
            return ToldFact(application_number=number), ()
        return None, (field_error("application_number", "signin.activate_check.error.empty"),)
    try:
        birthdate = parse_date_parts(*parts)
    except ValueError:
        return None, (field_error("birthdate", "signin.activate_check.error.date"),)
    return ToldFact(application_number=number or None, birthdate=birthdate), ()


def _form(errors: tuple[FieldError, ...], *, tries_left: int | None = None) -> Response:
    return page(
        "signin/activate_check.html",
        422 if errors else 200,
        errors=errors,
        tries_left=tries_left,
        values={name: request.form.get(name, "") for name in ("application_number", *_PARTS)},
    )


def _stopped() -> Response:
    """Send the family to the office; trying on is of no use, so it is no error of the form."""
    drop_cookie("reset")
    return page("signin/activation_stopped.html", 403)
