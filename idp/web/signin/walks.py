"""The walk a request belongs to: found by the address and the browser's cookie, or not at all."""

from datetime import timedelta
from uuid import UUID

from flask import abort, request
from werkzeug.wrappers import Response

from idp.base.browser import name_browser
from idp.base.url import is_own_path, with_query
from idp.db.session import OpenSession, reading
from idp.domain.signin.code_mails import CodeRules
from idp.domain.signin.found_walks import FoundWalk, find_whole_walk
from idp.domain.signin.interactions import (
    AUTHORIZE,
    DEVICE,
    HOME,
    STAFF,
    NewInteraction,
    Purposes,
    Walk,
    find_latest_walk,
    find_walk,
    open_interaction,
)
from idp.domain.signin.sessions import SessionLimits
from idp.domain.signin.setup import Setup
from idp.domain.signin.visitors import Visitor
from idp.web.cookies import read_cookie
from idp.web.deps import (
    allow_foreign_answer,
    current_person,
    peer_address,
    put_cookie,
    services,
    state,
)
from idp.web.limits import network_of
from idp.web.render import language, page, see_other

#: Walks of families; those of staff are never mixed with them.
FAMILY_PURPOSES: Purposes = frozenset({AUTHORIZE, DEVICE, HOME})
STAFF_PURPOSES: Purposes = frozenset({STAFF})


def find_named_walk() -> Walk | None:
    """Return the walk the address names (`?i=`), if it is this browser's and still runs."""
    with reading(services().sessions) as db:
        found = load_named_walk(db)
    return None if found is None else found.walk


def load_named_walk(db: OpenSession) -> FoundWalk | None:
    """Return as `find_named_walk` the walk as it stands in this transaction."""
    walk_id = _read_id(request.args.get("i", ""))
    return None if walk_id is None else _load(db, walk_id)


def find_current_walk(purposes: Purposes = FAMILY_PURPOSES) -> Walk | None:
    """Return the walk the address names, or else the browser's newest open one (A09)."""
    with reading(services().sessions) as db:
        found = load_current_walk(db, purposes)
    return None if found is None else found.walk


def load_current_walk(db: OpenSession, purposes: Purposes = FAMILY_PURPOSES) -> FoundWalk | None:
    """Return as `find_current_walk` the walk as it stands in this transaction."""
    if "i" in request.args:
        found = load_named_walk(db)
        is_open = found is not None and found.walk.completed_at is None
        return found if found and is_open and found.walk.purpose in purposes else None
    latest = find_latest_walk(db, read_cookie("walk"), purposes=purposes, now=services().clock())
    return None if latest is None else _load(db, latest.id)


def reload_walk(db: OpenSession, walk: Walk) -> FoundWalk | None:
    """Return a walk of this browser as it stands now that something was written into it."""
    token = state().cookies.get("walk", (None, None))[0] or read_cookie("walk")
    return find_whole_walk(db, walk.id, token, now=services().clock())


def require_walk(purposes: Purposes = FAMILY_PURPOSES) -> Walk:
    """Return the current walk, or end the request with a page that says how to go on (B12)."""
    walk = find_current_walk(purposes)
    if walk is None:
        abort(no_walk_page())
    return walk


def open_walk(db: OpenSession, purposes: Purposes) -> Walk:
    """Open a walk without a service, to the page the person wanted or to the home page."""
    now = services().clock()
    lifetime = timedelta(minutes=services().settings.signin.walk_lifetime_minutes)
    opened = open_interaction(
        db,
        NewInteraction(
            purpose=STAFF if purposes == STAFF_PURPOSES else HOME,
            return_path=return_path(),
            lifetime=lifetime,
        ),
        browser_token=read_cookie("walk"),
        now=now,
    )
    put_cookie("walk", opened.browser_token)
    walk = find_walk(db, opened.id, opened.browser_token, now=now)
    assert walk is not None
    return walk


def no_walk_page() -> Response:
    """Say that cookies are off (B41), or that this page cannot be returned to."""
    if read_cookie("browser") is None and read_cookie("walk") is None:
        return page("signin/cookies_off.html", 400)
    return page("signin/restart.html", 400, start_href=None)


def continue_flow(walk_id: UUID) -> Response:
    """Hand over to the dispatcher, the only one who knows what comes next."""
    return see_other(walk_address("/continue", walk_id))


def walk_address(path: str, walk_id: UUID) -> str:
    """Return the address of a page within a walk."""
    return with_query(path, {"i": str(walk_id)})


def in_walk(path: str) -> str:
    """Return the address of a page beside the steps, which stays with the walk of this one."""
    walk_id = state().walk_id
    return path if walk_id is None else walk_address(path, walk_id)


def walk_query(walk: Walk | None) -> str:
    """Return what the forms of a page add to their address, so that tabs are not mixed up."""
    if walk is not None:
        return f"?i={walk.id}"
    wanted = return_path()
    return with_query("", {"next": wanted}) if wanted else ""


def return_path() -> str | None:
    """Return where the person wanted to go, if it is a page of ours (LO-04)."""
    wanted = request.args.get("next", "")
    return wanted if is_own_path(wanted) else None


def current_visitor() -> Visitor:
    """Return the browser at the other side."""
    address = peer_address()
    return Visitor(
        address=address,
        network=network_of(address),
        label=name_browser(request.headers.get("User-Agent", "")),
        device_token=read_cookie("device"),
        person=current_person(),
    )


def sign_in_setup() -> Setup:
    """Return the rules of the sign-in as the settings say."""
    settings = services().settings
    return Setup(
        keys=services().keys,
        codes=CodeRules(
            lifetime=timedelta(minutes=settings.signin.code_lifetime_minutes),
            tries=settings.signin.code_tries,
        ),
        sessions=SessionLimits(
            idle=timedelta(minutes=settings.session.idle_minutes),
            absolute=timedelta(hours=settings.session.absolute_hours),
            shared_idle=timedelta(minutes=settings.session.shared_idle_minutes),
            staff_idle=timedelta(minutes=settings.session.staff_idle_minutes),
            kept=timedelta(days=settings.signin.keep_days),
        ),
        password_tries=settings.signin.password_tries,
    )


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _load(db: OpenSession, walk_id: UUID) -> FoundWalk | None:
    """Let the page name the service and its municipality, and its forms end there."""
    found = find_whole_walk(db, walk_id, read_cookie("walk"), now=services().clock())
    if found is None:
        return None
    state().walk_id = found.walk.id
    state().municipality_id, state().site = found.walk.municipality_id, found.site
    if found.client is not None:
        state().client_name = found.client.name_in(language())
        allow_foreign_answer()
    return found
