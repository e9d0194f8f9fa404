"""Signing out: of this browser, or everywhere."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.signin.doors import STAFF
from idp.domain.signin.sessions import SignedIn
from idp.domain.signin.signout import sign_out, sign_out_everywhere
from idp.web.deps import current_actor, current_person, services
from idp.web.guards import open_to_all
from idp.web.leaving import frames_of, leave, signed_out_address
from idp.web.render import page, see_other

bp = Blueprint("signin_logout", __name__)


@bp.get("/logout")
@open_to_all
def show_logout() -> Response:
    """Ask before signing out: a link alone changes nothing (LO-02)."""
    if current_person() is None:
        return see_other("/signed-out")
    return page("signin/logout_confirm.html")


@bp.post("/logout")
@open_to_all
def submit_logout() -> Response:
    """End the session of this browser and tell every service that took part in it."""
    person = current_person()
    if request.form.get("decision") == "stay":
        return see_other(_home_of(person))
    if person is None:
        return see_other("/signed-out")
    with transaction(services().sessions) as db:
        sign_out(db, person, actor=current_actor(), keys=services().keys, now=services().clock())
        frames = frames_of(db, person)
    return leave(person, signed_out_address(person), frames=frames)


@bp.post("/logout/everywhere")
@open_to_all
def submit_logout_everywhere() -> Response:
    """End all sessions of the person, on every device."""
    person = current_person()
    if person is None:
        return see_other("/signed-out")
    with transaction(services().sessions) as db:
        sign_out_everywhere(
            db, person, actor=current_actor(), keys=services().keys, now=services().clock()
        )
        frames = frames_of(db, person)
    return leave(person, signed_out_address(person), frames=frames)


@bp.get("/signed-out")
@open_to_all
def show_signed_out() -> Response:
    """Say that it is done, and on a shared device to close the browser."""
    is_staff = request.args.get("door") == "staff"
    return page(
        "signin/signed_out.html",
        shared=request.args.get("shared") == "1",
        login_href="/staff/login" if is_staff else "/login",
    )


def _home_of(person: SignedIn | None) -> str:
    return "/staff/" if person is not None and person.door is STAFF else "/"
