"""The page after the request: the mailed code, or the mail again (A13, A18, B23)."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.recovery.asking import AskedTooOften, ResetAsked, ask_again, cool_down_seconds
from idp.domain.recovery.opening import (
    CodesPaused,
    CodeTaken,
    CodeUsedUp,
    CodeWrong,
    NoCode,
    ResetOpened,
    judge_code,
    take_code,
)
from idp.domain.recovery.standing import AskedReset
from idp.web.deps import services
from idp.web.guards import open_to_all
from idp.web.render import FieldError, field_error, page, see_other
from idp.web.signin.resets import (
    bad_link_page,
    find_asked_reset,
    keep_browser,
    reset_setup,
)
from idp.web.signin.walks import current_visitor, find_current_walk, in_walk
from idp.web.waiting import wait_until

bp = Blueprint("signin_reset_code", __name__)


@bp.get("/password/reset/sent")
@open_to_all
def show_sent() -> Response:
    """Say where a mail has gone, if the address is registered, and ask for its code."""
    find_current_walk()
    asked = find_asked_reset()
    if asked is None:
        return see_other(in_walk("/password/reset"))
    return _form(asked, (), resent=request.args.get("resent") == "1")


@bp.post("/password/reset/sent")
@open_to_all
def submit_code() -> Response:
    """Check the code, or send the mail again."""
    find_current_walk()
    asked = find_asked_reset()
    if asked is None:
        return bad_link_page()
    if "resend" in request.form:
        return _resend(asked)
    setup, typed = reset_setup(), request.form.get("code", "")
    with transaction(services().sessions) as db:
        taken = take_code(
            db,
            asked,
            typed,
            rules=setup.rules,
            keys=setup.keys,
            now=services().clock(),
        )
    match taken:
        case CodeTaken():
            return _judge(asked, taken)
        case NoCode():
            return _form(asked, (_error("empty"),), 422)
        case CodeUsedUp():
            return _form(asked, (_error("used"),), 422)
        case CodesPaused(until):
            seconds, minutes = wait_until(until)
            return _wait(asked, _error("paused", minutes=minutes), seconds)


def _judge(asked: AskedReset, taken: CodeTaken) -> Response:
    setup = reset_setup()
    with transaction(services().sessions) as db:
        outcome = judge_code(
            db,
            taken,
            current_visitor(),
            rules=setup.rules,
            keys=setup.keys,
            now=services().clock(),
        )
    match outcome:
        case ResetOpened(browser_token):
            keep_browser(browser_token)
            return see_other(in_walk("/password/reset/new"))
        case CodeWrong(tries_left):
            return _form(asked, (_error("wrong" if tries_left else "used"),), 422)


def _resend(asked: AskedReset) -> Response:
    with transaction(services().sessions) as db:
        again = ask_again(db, asked, current_visitor(), setup=reset_setup(), now=services().clock())
    match again:
        case ResetAsked(_, browser_token):
            keep_browser(browser_token)
            return see_other(in_walk("/password/reset/sent?resent=1"))
        case AskedTooOften(until):
            seconds, minutes = wait_until(until)
            return _wait(asked, _error("resend_limit", minutes=minutes), seconds)


def _error(key: str, **facts: object) -> FieldError:
    return field_error("code", f"signin.reset_sent.error.{key}", **facts)


def _wait(asked: AskedReset, error: FieldError, seconds: int) -> Response:
    response = _form(asked, (error,), 429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _form(
    asked: AskedReset, errors: tuple[FieldError, ...], status: int = 200, *, resent: bool = False
) -> Response:
    setup = reset_setup()
    with reading(services().sessions) as db:
        wait = cool_down_seconds(db, asked, setup=setup, now=services().clock())
    return page(
        "signin/reset_sent.html",
        status,
        errors=errors,
        shown_mail=asked.email,
        minutes=setup.rules.minutes,
        resent=resent,
        resend_wait=wait,
    )
