"""Setting a password by mail: request, mail sent, link, new password, done (A09-A15)."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.contact import ContactError, mail_key, parse_mail_address
from idp.db.session import reading, transaction
from idp.domain.people.sites import find_site
from idp.domain.recovery.asking import AskedTooOften, ResetAsked, ask
from idp.domain.recovery.finishing import ResetDone, ResetGone, finish
from idp.domain.recovery.opening import DeadLink, ResetOpened, is_live_link, open_by_link
from idp.domain.recovery.standing import OpenReset, asks_address_twice
from idp.domain.signin.choosing import Chosen, choose_password, look_at_choice
from idp.domain.signin.doors import STAFF
from idp.web.deps import drop_cookie, services, state
from idp.web.guards import open_to_all
from idp.web.password_form import (
    find_form_errors,
    name_faults,
    password_facts,
    read_new_password,
)
from idp.web.render import FieldError, field_error, page, see_other
from idp.web.signin.resets import (
    bad_link_page,
    is_token,
    keep_browser,
    keep_link,
    kept_link,
    require_open_reset,
    reset_setup,
)
from idp.web.signin.walks import current_visitor, find_current_walk, in_walk
from idp.web.upstream import upstream_name
from idp.web.waiting import wait_until

bp = Blueprint("signin_reset", __name__)

#: A longer text is nobody's address.
_LONGEST_ADDRESS = 320


@bp.get("/.well-known/change-password")
@open_to_all
def change_password() -> Response:
    """Lead password managers to the page that changes a password (B46)."""
    return see_other("/account/security#password")


@bp.get("/password/reset")
@open_to_all
def show_request() -> Response:
    """Ask for the address; the sign-in that waits in this browser is not lost (A09)."""
    find_current_walk()
    return _request_form(())


@bp.post("/password/reset")
@open_to_all
def submit_request() -> Response:
    """Take the address; the answer is the same whether or not anybody has it (A12)."""
    find_current_walk()
    email, errors = _read_address()
    if email is None:
        return _request_form(errors, 422)
    with transaction(services().sessions) as db:
        asked = ask(db, email, current_visitor(), setup=reset_setup(), now=services().clock())
    match asked:
        case ResetAsked(_, browser_token):
            keep_browser(browser_token)
            return see_other(in_walk("/password/reset/sent"))
        case AskedTooOften(until):
            seconds, minutes = wait_until(until)
            error = field_error("email", "signin.reset_sent.error.resend_limit", minutes=minutes)
            response = _request_form((error,), 429)
            response.headers["Retry-After"] = str(seconds)
            return response


def _read_address() -> tuple[str | None, tuple[FieldError, ...]]:
    """Return the parsed address, or what is wrong with the two fields."""
    typed = request.form.get("email", "")
    if not typed.strip():
        return None, (field_error("email", "signin.reset_request.error.empty"),)
    try:
        email = parse_mail_address(typed[: _LONGEST_ADDRESS + 1])
    except ContactError:
        return None, (field_error("email", "signin.reset_request.error.format"),)
    if not _asks_twice():
        return email, ()
    again = request.form.get("email_confirm", "")
    if not again.strip():
        return None, (field_error("email_confirm", "signin.reset_request.error.empty_confirm"),)
    if mail_key(again) != mail_key(email):
        return None, (field_error("email_confirm", "signin.reset_request.error.mismatch"),)
    return email, ()


def _asks_twice() -> bool:
    with reading(services().sessions) as db:
        site = find_site(
            db,
            state().municipality_id,
            default_code=services().settings.provider.default_municipality,
        )
        return asks_address_twice(db, site.municipality_id if site else None)


def _request_form(errors: tuple[FieldError, ...], status: int = 200) -> Response:
    return page(
        "signin/reset_request.html",
        status,
        errors=errors,
        values={name: request.form.get(name, "") for name in ("email", "email_confirm")},
        confirm_address=_asks_twice(),
        identity_provider=upstream_name() if services().upstream is not None else None,
    )


@bp.get("/password/reset/link")
@open_to_all
def show_link() -> Response:
    """Take a mailed link out of the address, then show a button: a GET uses nothing up (RS-03)."""
    token = request.args.get("t")
    if token is not None:
        if not is_token(token):
            return page("signin/reset_bad_link.html", 400)
        keep_link(token)
        return see_other("/password/reset/link")
    token = kept_link()
    if token is None:
        return bad_link_page()
    find_current_walk()
    with reading(services().sessions) as db:
        is_live = is_live_link(db, token, now=services().clock())
    return page("signin/reset_link.html") if is_live else bad_link_page()


@bp.post("/password/reset/link")
@open_to_all
def use_link() -> Response:
    """Use the link up: the button was pressed."""
    find_current_walk()
    token = kept_link()
    if token is None:
        return bad_link_page()
    with transaction(services().sessions) as db:
        outcome = open_by_link(
            db, token, current_visitor(), rules=reset_setup().rules, now=services().clock()
        )
    match outcome:
        case ResetOpened(browser_token):
            keep_browser(browser_token)
            return see_other(in_walk("/password/reset/new"))
        case DeadLink():
            return bad_link_page()


@bp.get("/password/reset/new")
@open_to_all
def show_new() -> Response:
    """Ask for the new password, once the fact is told that the first time needs."""
    find_current_walk()
    opened = require_open_reset()
    if opened.asks_fact:
        return see_other(in_walk("/password/reset/check"))
    return _new_form(opened, ())


@bp.post("/password/reset/new")
@open_to_all
def submit_new() -> Response:
    """Set the new password; nobody is signed in by it (A15)."""
    find_current_walk()
    opened = require_open_reset()
    if opened.asks_fact:
        return see_other(in_walk("/password/reset/check"))
    errors = find_form_errors()
    if errors:
        return _new_form(opened, tuple(errors))
    with reading(services().sessions) as db:
        choice = look_at_choice(db, opened.account_id)
    chosen = choose_password(choice, read_new_password(), hasher=services().hasher)
    if not isinstance(chosen, Chosen):
        return _new_form(opened, tuple(name_faults(chosen)))
    with transaction(services().sessions) as db:
        outcome = finish(
            db,
            opened,
            chosen,
            current_visitor(),
            keys=services().keys,
            now=services().clock(),
        )
    match outcome:
        case ResetDone():
            drop_cookie("reset")
            return see_other(in_walk("/password/reset/done" + _door_query(opened)))
        case ResetGone():
            return bad_link_page()


@bp.get("/password/reset/done")
@open_to_all
def show_done() -> Response:
    """Say that it is done; the sign-in that waited in this browser goes on from its page."""
    find_current_walk()
    is_staff = request.args.get("door") == "staff"
    login_href = "/staff/login" if is_staff else in_walk("/login")
    return page("signin/reset_done.html", login_href=login_href)


def _door_query(opened: OpenReset) -> str:
    return "?door=staff" if opened.door is STAFF else ""


def _new_form(opened: OpenReset, errors: tuple[FieldError, ...]) -> Response:
    return page(
        "signin/reset_new.html",
        422 if errors else 200,
        errors=errors,
        username=opened.login_id,
        **password_facts(),
    )
