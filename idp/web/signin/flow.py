"""The dispatcher: the only router of the steps of a sign-in."""

from types import MappingProxyType

from flask import Blueprint
from werkzeug.wrappers import Response

from idp.db.session import OpenSession, transaction
from idp.domain.signin.interactions import AUTHORIZE, DEVICE, HOME, STAFF, Walk
from idp.domain.signin.sessions import SignedIn
from idp.domain.signin.walking import WalkOver, look
from idp.oauth.answers import PendingAuthorization, answer_authorization, refuse_authorization
from idp.oauth.device_answers import DeviceOutcome, answer_device, refuse_device
from idp.protocol.interaction import (
    ActingFor,
    Answer,
    Code,
    Consent,
    Login,
    Refusal,
    Refuse,
    Step,
    Terms,
)
from idp.web.cookies import read_cookie
from idp.web.deps import current_actor, services
from idp.web.guards import open_to_all
from idp.web.provider import current_provider
from idp.web.render import page, see_other
from idp.web.reply import send_answer
from idp.web.signin.walks import find_named_walk, no_walk_page, sign_in_setup, walk_address

bp = Blueprint("signin_flow", __name__)

_FAMILY_PAGES: dict[type[Step], str] = {
    Login: "/login",
    Code: "/login/code",
    Terms: "/terms",
    ActingFor: "/acting-for",
    Consent: "/consent",
}
_DEVICE_PAGES = _FAMILY_PAGES | {Consent: "/device/confirm"}
_STAFF_PAGES = _FAMILY_PAGES | {Login: "/staff/login", Code: "/staff/login/code"}
_PAGES = MappingProxyType(
    {AUTHORIZE: _FAMILY_PAGES, HOME: _FAMILY_PAGES, DEVICE: _DEVICE_PAGES, STAFF: _STAFF_PAGES}
)


@bp.get("/continue")
@open_to_all
def dispatch() -> Response:
    """Look at the walk and go where it needs to go: a page, the service, the home page.

    A GET that writes: it ends the walk that the person has just gone through, as the
    authorization endpoint it continues does.
    """
    walk = find_named_walk()
    if walk is None:
        return no_walk_page()
    with transaction(services().sessions) as db:
        found = look(
            db,
            walk,
            read_cookie("session"),
            setup=sign_in_setup(),
            now=services().clock(),
        )
        if isinstance(found, WalkOver):
            return page("signin/restart.html", 400, start_href=None)
        return _go(db, walk, found.step, found.person)


def _go(db: OpenSession, walk: Walk, step: Step, person: SignedIn | None) -> Response:
    match step:
        case Answer():
            assert person is not None
            return _answer(db, walk, person)
        case Refuse(error):
            return _refuse(db, walk, error)
        case _:
            return see_other(walk_address(_PAGES[walk.purpose][type(step)], walk.id))


def _answer(db: OpenSession, walk: Walk, person: SignedIn) -> Response:
    if walk.purpose is DEVICE:
        outcome = answer_device(
            db,
            walk,
            person,
            provider=current_provider(),
            actor=current_actor(),
            now=services().clock(),
        )
        return _end_device(walk, outcome)
    if walk.purpose is not AUTHORIZE:
        home = "/staff/" if walk.purpose is STAFF else "/"
        return see_other(walk.return_path or home)
    reply = answer_authorization(
        db,
        PendingAuthorization(walk.request),
        person,
        provider=current_provider(),
        actor=current_actor(),
        now=services().clock(),
    )
    return send_answer(reply)


def _end_device(walk: Walk, outcome: DeviceOutcome) -> Response:
    """Say on the person's phone how it ended; the device itself hears when it asks next."""
    return see_other(walk_address(f"/device/{outcome}", walk.id))


def _refuse(db: OpenSession, walk: Walk, error: Refusal) -> Response:
    if walk.purpose is DEVICE:
        return _end_device(walk, refuse_device(db, walk, now=services().clock()))
    if walk.purpose is not AUTHORIZE:
        return see_other("/staff/login" if walk.purpose is STAFF else "/login")
    pending = PendingAuthorization(walk.request)
    issuer = services().settings.provider.issuer
    reply = refuse_authorization(pending, error, issuer=issuer)
    return send_answer(reply)
