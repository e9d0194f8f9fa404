"""Changing the password in a session (A24): the form stands on the page of security."""

from datetime import timedelta

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.signin.choosing import Chosen
from idp.domain.signin.password_change import (
    ChangeDone,
    ChangePaused,
    ChangeTaken,
    CurrentWrong,
    change_password,
    forgive_try,
    judge_change,
    note_wrong,
    take_change,
)
from idp.domain.signin.passwords import PasswordFault
from idp.domain.signin.policy import find_lock
from idp.web.account.entry import ask_for_agreement
from idp.web.account.security import security_page
from idp.web.deps import current_actor, put_cookie, require_person, services
from idp.web.guards import signed_in
from idp.web.password_form import find_form_errors, name_faults, read_new_password
from idp.web.render import field_error, see_other
from idp.web.waiting import wait_until

bp = Blueprint("account_password", __name__, url_prefix="/account")
bp.before_request(ask_for_agreement)


@bp.post("/password")
@signed_in
def submit_password() -> Response:
    """Change the password of whoever knows the current one (PW-07)."""
    current = request.form.get("current_password", "")
    errors = find_form_errors()
    if not current:
        errors.insert(0, field_error("current_password", "account.security.error.current"))
    if errors:
        return security_page(tuple(errors), 422)
    person, settings = require_person(), services().settings
    with transaction(services().sessions) as db:
        taken = take_change(
            db,
            person,
            tries=settings.signin.password_tries,
            lock=find_lock(db, person.municipality_id),
            now=services().clock(),
        )
    if isinstance(taken, ChangePaused):
        return _paused(taken)
    judged = judge_change(taken, current, read_new_password(), hasher=services().hasher)
    if isinstance(judged, CurrentWrong):
        return _wrong()
    return _change(taken, judged) if isinstance(judged, Chosen) else _refuse(taken, judged)


def _change(taken: ChangeTaken, chosen: Chosen) -> Response:
    with transaction(services().sessions) as db:
        forgive_try(db, taken)
        outcome = change_password(
            db,
            require_person(),
            chosen,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
        )
    match outcome:
        case ChangeDone(session):
            put_cookie("session", session.token, max_age_seconds=_cookie_seconds())
            return see_other("/account/security?done=changed")
        case CurrentWrong():
            return _wrong()


def _cookie_seconds() -> int | None:
    """Return the age of the cookie of a session that is to stay (B17)."""
    left = require_person().expires_at - services().clock()
    is_kept = left > timedelta(hours=services().settings.session.absolute_hours)
    return int(left.total_seconds()) if is_kept else None


def _refuse(taken: ChangeTaken, faults: tuple[PasswordFault, ...]) -> Response:
    """Say why the new password cannot be; the current one was right, so no try is lost."""
    with transaction(services().sessions) as db:
        forgive_try(db, taken)
    return security_page(tuple(name_faults(faults)), 422)


def _wrong() -> Response:
    with transaction(services().sessions) as db:
        note_wrong(db, require_person(), actor=current_actor(), now=services().clock())
    return security_page((field_error("current_password", "account.security.error.current"),), 422)


def _paused(taken: ChangePaused) -> Response:
    seconds, minutes = wait_until(taken.until)
    error = field_error("current_password", "account.security.error.paused", minutes=minutes)
    response = security_page((error,), 429)
    response.headers["Retry-After"] = str(seconds)
    return response
