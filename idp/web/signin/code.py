"""The second step at both doors: the mailed code, or the code of an app."""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import OpenSession, reading, transaction
from idp.domain.signin.code_mails import CodeNotSent, CodeSent
from idp.domain.signin.code_page import CodePage, look_at_code
from idp.domain.signin.completion import SignedInWhole
from idp.domain.signin.interactions import Walk
from idp.domain.signin.mailed_codes import NoCode, NoValidCode
from idp.domain.signin.second_step import (
    NoStepOpen,
    Paused,
    Taken,
    TypedCode,
    WrongCode,
    judge,
    send_again,
    take,
)
from idp.web.deps import services
from idp.web.guards import open_to_all
from idp.web.render import FieldError, field_error
from idp.web.signin.doors import (
    FAMILY_DOOR,
    STAFF_DOOR,
    DoorPages,
    door_page,
    enter,
    wait_page,
)
from idp.web.signin.onward import find_way_after_form
from idp.web.signin.walks import (
    continue_flow,
    current_visitor,
    load_current_walk,
    no_walk_page,
    reload_walk,
    require_walk,
    sign_in_setup,
)

bp = Blueprint("signin_code", __name__)

_APP_FAULTS = frozenset({"empty", "wrong"})
_NOTHING: Mapping[str, object] = MappingProxyType({})


@bp.get("/login/code")
@open_to_all
def show_code() -> Response:
    """Ask a family member for the code."""
    return _show(FAMILY_DOOR)


@bp.post("/login/code")
@open_to_all
def submit_code() -> Response:
    """Check a family member's code, or mail another one."""
    return _submit(FAMILY_DOOR)


@bp.get("/staff/login/code")
@open_to_all
def show_staff_code() -> Response:
    """Ask a member of staff for the code of the app."""
    return _show(STAFF_DOOR)


@bp.post("/staff/login/code")
@open_to_all
def submit_staff_code() -> Response:
    """Check the code of a member of staff."""
    return _submit(STAFF_DOOR)


def _show(pages: DoorPages) -> Response:
    with reading(services().sessions) as db:
        found = load_current_walk(db, pages.purposes)
        seen = None if found is None else _look(db, found.walk)
    return no_walk_page() if found is None else _page(pages, found.walk, seen, 200)


def _submit(pages: DoorPages) -> Response:
    if "resend" in request.form:
        return _resend(pages, require_walk(pages.purposes))
    typed = TypedCode(
        text=request.form.get("code", ""),
        trusts_device=request.form.get("trust_device") == "1",
    )
    setup = sign_in_setup()
    with transaction(services().sessions) as db:
        found = load_current_walk(db, pages.purposes)
        now = services().clock()
        taken = None if found is None else take(db, found.walk, typed, setup=setup, now=now)
    if found is None or taken is None:
        return no_walk_page()
    walk = found.walk
    match taken:
        case Taken():
            return _judge(pages, walk, taken, typed)
        case Paused(until):
            return wait_page(pages, "code_paused", walk, until=until)
        case NoCode():
            return _form(pages, walk, 422, fault="empty")
        case NoValidCode(is_expired):
            return _replace(pages, walk) if is_expired else _used_up(pages, walk)
        case NoStepOpen():
            return continue_flow(walk.id)


def _judge(pages: DoorPages, walk: Walk, taken: Taken, typed: TypedCode) -> Response:
    visitor, setup, way = current_visitor(), sign_in_setup(), None
    with transaction(services().sessions) as db:
        outcome = judge(db, taken, typed, visitor, setup=setup, now=services().clock())
        if isinstance(outcome, SignedInWhole):
            way = find_way_after_form(db, reload_walk(db, walk), outcome.token)
    match outcome:
        case SignedInWhole():
            return enter(outcome, walk, way)
        case WrongCode(tries_left) if tries_left > 0:
            return _form(pages, walk, 422, fault="wrong", tries_left=tries_left)
        case WrongCode():
            return _used_up(pages, walk)
        case Paused(until):
            return wait_page(pages, "code_paused", walk, until=until)
        case NoStepOpen():
            return continue_flow(walk.id)


def _resend(pages: DoorPages, walk: Walk) -> Response:
    with transaction(services().sessions) as db:
        sent = send_again(db, walk, setup=sign_in_setup(), now=services().clock())
    match sent:
        case CodeSent():
            return _form(pages, walk, resent=True)
        case CodeNotSent():
            return _too_many_mails(pages, walk, sent)
        case NoStepOpen():
            return continue_flow(walk.id)


def _replace(pages: DoorPages, walk: Walk) -> Response:
    """Answer a code that is too old with a new one, if the limits for mails allow it."""
    with transaction(services().sessions) as db:
        sent = send_again(db, walk, setup=sign_in_setup(), now=services().clock())
    if isinstance(sent, CodeSent):
        return _form(pages, walk, 422, fault="expired")
    return _used_up(pages, walk)


def _used_up(pages: DoorPages, walk: Walk) -> Response:
    return _form(pages, walk, 422, fault="used")


def _too_many_mails(pages: DoorPages, walk: Walk, sent: CodeNotSent) -> Response:
    seconds = max(1, int((sent.until - services().clock()).total_seconds()))
    minutes = -(-seconds // 60)
    response = _form(pages, walk, 429, fault="resend_limit", fault_facts={"minutes": minutes})
    response.headers["Retry-After"] = str(seconds)
    return response


def _form(
    pages: DoorPages,
    walk: Walk,
    status: int = 200,
    *,
    fault: str | None = None,
    fault_facts: Mapping[str, object] = _NOTHING,
    **facts: object,
) -> Response:
    with reading(services().sessions) as db:
        seen = _look(db, walk)
    errors: tuple[FieldError, ...] = ()
    if seen is not None and fault is not None:
        # The app has its own words for what a mail has too.
        name = f"totp_{fault}" if seen.kind == "totp" and fault in _APP_FAULTS else fault
        errors = (field_error("code", pages.code_error(name), **fault_facts),)
    return _page(pages, walk, seen, status, errors=errors, **facts)


def _look(db: OpenSession, walk: Walk) -> CodePage | None:
    return look_at_code(db, walk, setup=sign_in_setup(), now=services().clock())


def _page(
    pages: DoorPages, walk: Walk, seen: CodePage | None, status: int, **facts: object
) -> Response:
    if seen is None:
        return continue_flow(walk.id)
    return door_page(pages, "code", walk, status, **(_facts(seen) | facts))


def _facts(seen: CodePage) -> dict[str, object]:
    return {
        "kind": seen.kind,
        "masked_mail": seen.masked_mail,
        "minutes": seen.minutes,
        "trust_days": seen.trust_days,
        "resend_wait": seen.resend_wait_seconds,
        "tries_left": None,
        "resent": False,
        "errors": (),
    }
