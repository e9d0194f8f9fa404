"""The pages on which a person lets a device in: its code, the question, how it ended."""

from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.signin.device_walk import Place, open_device_walk, take_device_try
from idp.oauth.consent import Decision, decide
from idp.oauth.device_answers import PendingDevice, find_pending_device
from idp.protocol.user_code import parse_user_code, show_user_code
from idp.web.cookies import read_cookie
from idp.web.deps import (
    current_actor,
    current_person,
    peer_address,
    put_cookie,
    services,
    state,
)
from idp.web.guards import open_to_all
from idp.web.limits import network_of
from idp.web.provider import current_provider
from idp.web.render import field_error, language, page
from idp.web.signin.walks import continue_flow, find_named_walk, no_walk_page, walk_address

bp = Blueprint("signin_device", __name__, url_prefix="/device")

_NAME = "user_code"
#: What is shown again of a code that was typed wrongly.
_MAX_SHOWN = 64


@bp.get("")
@open_to_all
def show_device() -> Response:
    """Ask for the code that the device shows; an address that brings it only fills it in."""
    return _form(request.args.get(_NAME, ""))


@bp.post("")
@open_to_all
def submit_device() -> Response:
    """Look for the device that shows this code, and begin the walk that decides about it."""
    typed = request.form.get(_NAME, "")
    if not typed.strip():
        return _form("", "signin.device.error.empty")
    place = Place(network_of(peer_address()), state().browser, read_cookie("walk"))
    now = services().clock()
    with transaction(services().sessions) as db:
        blocked = take_device_try(db, place, now=now)
    if blocked is not None:
        return _wait(blocked.until, now=now)
    code = parse_user_code(typed)
    if code is None:
        return _form(typed, "signin.device.error.format")
    with transaction(services().sessions) as db:
        opened = open_device_walk(
            db,
            code,
            place,
            lifetime=timedelta(minutes=services().settings.signin.walk_lifetime_minutes),
            keys=services().keys,
            now=now,
        )
    if opened is None:
        return _form(typed, "signin.device.error.unknown")
    put_cookie("walk", opened.browser_token)
    return continue_flow(opened.id)


def _form(typed: str, error_key: str | None = None) -> Response:
    errors = () if error_key is None else (field_error(_NAME, error_key),)
    values = {_NAME: typed[:_MAX_SHOWN]}
    return page("signin/device.html", 422 if errors else 200, values=values, errors=errors)


def _wait(until: datetime, *, now: datetime) -> Response:
    response = page("signin/device_paused.html", 429, until=until)
    response.headers["Retry-After"] = str(max(1, int((until - now).total_seconds())))
    return response


@bp.get("/confirm")
@open_to_all
def show_question() -> Response:
    """Ask whether the device may have what it asks for, and whether it is the person's own."""
    pending = _find()
    if pending is None:
        return _go_on()
    tag = language()
    client = pending.consent.client
    state().client_name = client.name_in(tag)
    state().municipality_id = client.municipality_id
    return page(
        "signin/device_confirm.html",
        action_href=walk_address("/device/confirm", pending.consent.interaction_id),
        user_code=show_user_code(pending.user_code),
        client_operator=client.operator_in(tag),
        scopes=[
            {"code": code, "claim_keys": keys} for code, keys in pending.consent.shown_scopes()
        ],
    )


@bp.post("/confirm")
@open_to_all
def submit_answer() -> Response:
    """Write the decision down and go on with the walk."""
    decision = request.form.get("decision")
    pending = _find()
    if pending is None or decision not in tuple(Decision):
        return _go_on()
    with transaction(services().sessions) as db:
        decide(
            db,
            pending.consent,
            Decision(decision),
            actor=current_actor(),
            now=services().clock(),
        )
    return continue_flow(pending.consent.interaction_id)


def _go_on() -> Response:
    """Go on with a walk that asks something else; one whose service is gone cannot go on."""
    walk = find_named_walk()
    if walk is None or state().client_name is None:
        return no_walk_page()
    return continue_flow(walk.id)


def _find() -> PendingDevice | None:
    person = current_person()
    interaction_id = _interaction_id()
    if person is None or interaction_id is None:
        return None
    with reading(services().sessions) as db:
        return find_pending_device(
            db,
            interaction_id,
            read_cookie("walk"),
            person,
            provider=current_provider(),
            now=services().clock(),
        )


def _interaction_id() -> UUID | None:
    try:
        return UUID(request.args.get("i", ""))
    except ValueError:
        return None


@bp.get("/<any(allowed, denied, over):outcome>")
@open_to_all
def show_end(outcome: str) -> Response:
    """Say how it ended; the walk, if it is this browser's, names the service."""
    find_named_walk()
    return page("signin/device_done.html", outcome=outcome)
