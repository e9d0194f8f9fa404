"""The first step at both doors: id and password."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import OpenSession, transaction
from idp.domain.people.sites import find_site
from idp.domain.signin.completion import SignedInWhole
from idp.domain.signin.doors import FAMILY, STAFF
from idp.domain.signin.found_walks import FoundWalk
from idp.domain.signin.interactions import DeviceUse, Walk
from idp.domain.signin.login import (
    Locked,
    Paused,
    Typed,
    Verified,
    prepare_login,
    verify_login,
)
from idp.domain.signin.login_outcome import (
    SignedInHalf,
    WalkEnded,
    WrongCredentials,
    record_login,
)
from idp.domain.signin.visitors import Visitor
from idp.web.deps import current_person, services
from idp.web.guards import open_to_all
from idp.web.render import FieldError, field_error, page, see_other
from idp.web.signin.doors import (
    FAMILY_DOOR,
    STAFF_DOOR,
    DoorPages,
    Entrance,
    door_page,
    enter,
    wait_page,
)
from idp.web.signin.onward import code_address, find_way_after_form
from idp.web.signin.walks import (
    current_visitor,
    find_current_walk,
    load_current_walk,
    no_walk_page,
    open_walk,
    reload_walk,
    return_path,
    sign_in_setup,
)

bp = Blueprint("signin_login", __name__)


@bp.get("/login")
@open_to_all
def show_login() -> Response:
    """Ask a family member who she is."""
    return _show(FAMILY_DOOR)


@bp.post("/login")
@open_to_all
def submit_login() -> Response:
    """Check id and password of a family member."""
    return _submit(FAMILY_DOOR)


@bp.get("/staff/login")
@open_to_all
def show_staff_login() -> Response:
    """Ask a member of staff who she is."""
    return _show(STAFF_DOOR)


@bp.post("/staff/login")
@open_to_all
def submit_staff_login() -> Response:
    """Check id and password of a member of staff."""
    return _submit(STAFF_DOOR)


def _show(pages: DoorPages) -> Response:
    if request.args.get("expired"):
        return page("signin/session_expired.html", start_href=pages.login_address())
    person = current_person()
    is_here = person is not None and person.door.value == pages.entrance.value
    if is_here and "i" not in request.args:
        return see_other(return_path() or pages.home_path)
    walk = find_current_walk(pages.purposes)
    if walk is None and "i" in request.args:
        return no_walk_page()
    hint = walk.request.get("login_hint") if walk else None
    return _form(pages, walk, 200, str(hint or ""))


def _submit(pages: DoorPages) -> Response:
    login_id, password = request.form.get("login_id", ""), request.form.get("password", "")
    errors = _missing(pages, login_id, password)
    if errors:
        walk = find_current_walk(pages.purposes)
        is_lost = walk is None and "i" in request.args
        return no_walk_page() if is_lost else _form(pages, walk, 422, login_id, errors=errors)
    visitor, setup = current_visitor(), sign_in_setup()
    with transaction(services().sessions) as db:
        found = load_current_walk(db, pages.purposes)
        prepared = None
        if found is not None or "i" not in request.args:
            typed = _read_typed(pages, _municipality_of(db, found), login_id, password)
            prepared = prepare_login(db, typed, visitor, setup=setup, now=services().clock())
    if prepared is None:
        return no_walk_page()
    walk = found.walk if found else None
    if isinstance(prepared, Locked | Paused):
        return wait_page(pages, "locked", walk, until=prepared.until)
    return _finish(pages, walk, verify_login(prepared, hasher=services().hasher), visitor)


def _read_typed(
    pages: DoorPages, municipality_id: UUID | None, login_id: str, password: str
) -> Typed:
    return Typed(
        door=STAFF if pages.entrance is Entrance.STAFF else FAMILY,
        login_id=login_id,
        password=password,
        municipality_id=municipality_id,
        use=_device_use(),
    )


def _finish(pages: DoorPages, walk: Walk | None, verified: Verified, visitor: Visitor) -> Response:
    way = None
    with transaction(services().sessions) as db:
        walk, setup = walk or open_walk(db, pages.purposes), sign_in_setup()
        outcome = record_login(db, verified, walk, visitor, setup=setup, now=services().clock())
        if isinstance(outcome, SignedInWhole):
            way = find_way_after_form(db, reload_walk(db, walk), outcome.token)
    if isinstance(outcome, SignedInWhole):
        return enter(outcome, walk, way)
    return _answer(pages, walk, outcome, verified.prepared.typed.login_id)


def _answer(
    pages: DoorPages,
    walk: Walk,
    outcome: SignedInHalf | WrongCredentials | Locked | WalkEnded,
    login_id: str,
) -> Response:
    match outcome:
        case SignedInHalf():
            return see_other(code_address(walk))
        case WrongCredentials(remaining, minutes, lead_with_reset):
            return _form(
                pages,
                walk,
                422,
                login_id,
                errors=[field_error("login_id", pages.login_error("generic"))],
                remaining_tries=remaining,
                minutes=minutes,
                lead_with_reset=lead_with_reset,
            )
        case Locked(until):
            return wait_page(pages, "locked", walk, until=until)
        case WalkEnded():
            return no_walk_page()


def _form(
    pages: DoorPages, walk: Walk | None, status: int, login_id: str, **facts: object
) -> Response:
    shown: dict[str, object] = {
        "values": {
            "login_id": login_id,
            "shared_device": request.form.get("shared_device", ""),
            "keep_signed_in": request.form.get("keep_signed_in", ""),
        },
        "errors": [],
        "remaining_tries": None,
        "minutes": 0,
        "lead_with_reset": False,
        "allow_shared": pages.entrance is Entrance.FAMILY,
        "shared_minutes": services().settings.session.shared_idle_minutes,
        "keep_days": services().settings.signin.keep_days,
    }
    return door_page(pages, "login", walk, status, **(shown | facts))


def _device_use() -> DeviceUse:
    """Return whose device it is; "other people use it" wins over "stay signed in" (B18)."""
    if request.form.get("shared_device") == "1":
        return DeviceUse.SHARED
    return DeviceUse.KEPT if request.form.get("keep_signed_in") == "1" else DeviceUse.OWN


def _missing(pages: DoorPages, login_id: str, password: str) -> list[FieldError]:
    errors = []
    if not login_id.strip():
        errors.append(field_error("login_id", pages.login_error("empty_id")))
    if not password:
        errors.append(field_error("password", pages.login_error("empty_password")))
    return errors


def _municipality_of(db: OpenSession, found: FoundWalk | None) -> UUID | None:
    """Return whose page this is: the lock lasts as long for an id that nobody has (EN-01)."""
    if found is not None and found.site is not None:
        return found.site.municipality_id
    site = find_site(db, None, default_code=services().settings.provider.default_municipality)
    return site.municipality_id if site else None
