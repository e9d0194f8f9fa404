"""Asking for the password again before something that a stolen session must not do (SE-07)."""

from collections.abc import Callable

from flask import request
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.signin.password_change import (
    ChangePaused,
    forgive_try,
    knows_password,
    note_wrong,
    take_change,
)
from idp.domain.signin.policy import find_lock
from idp.web.deps import current_actor, require_person, services
from idp.web.render import FieldError, field_error
from idp.web.waiting import wait_until


def after_password(
    field: str, act: Callable[[], Response], show: Callable[[FieldError, int], Response]
) -> Response:
    """Do it if the field holds the person's password, else show the page with what is wrong.

    Tries are counted together with those of a change of the password.
    """
    person, now = require_person(), services().clock()
    with transaction(services().sessions) as db:
        taken = take_change(
            db,
            person,
            tries=services().settings.signin.password_tries,
            lock=find_lock(db, person.municipality_id),
            now=now,
        )
    if isinstance(taken, ChangePaused):
        seconds, minutes = wait_until(taken.until)
        error = field_error(field, "account.security.error.paused", minutes=minutes)
        response = show(error, 429)
        response.headers["Retry-After"] = str(seconds)
        return response
    is_right = knows_password(taken, request.form.get(field, ""), hasher=services().hasher)
    with transaction(services().sessions) as db:
        if is_right:
            forgive_try(db, taken)
        else:
            note_wrong(db, person, actor=current_actor(), now=now)
    if is_right:
        return act()
    return show(field_error(field, "account.security.error.current"), 422)
