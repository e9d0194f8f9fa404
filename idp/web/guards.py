"""Guards: every route has exactly one, and it runs before the view (style rule 40)."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from flask import Response, current_app, redirect, request
from werkzeug.exceptions import Forbidden

from idp.base.ids import new_id
from idp.base.url import with_query
from idp.db.session import reading, transaction
from idp.domain.signin.doors import FAMILY, STAFF
from idp.domain.signin.recognition import find_session, has_run_out
from idp.domain.signin.refusals import Refusal, RefusedRequest, note_refusal
from idp.domain.signin.sessions import is_touch_due, touch_session
from idp.domain.staff.roles import Permission, StaffMember, find_staff_member
from idp.web.browser_state import show_state
from idp.web.cookies import read_cookie
from idp.web.csrf import FormRefused, check_form, name_browser
from idp.web.deps import (
    RequestState,
    current_actor,
    drop_cookie,
    services,
    start_request,
    state,
    this_request,
)
from idp.web.intake import check_shape
from idp.web.limits import check_rate
from idp.web.maintenance import check_open

View = TypeVar("View", bound=Callable[..., object])
#: Where a member of staff goes who may not see a page that everyone's address leads to.
Elsewhere = Callable[[StaffMember], str]


class GuardKind(enum.StrEnum):
    """Who may come to a view."""

    OPEN = "open"
    SIGNED_IN = "signed_in"
    STAFF = "staff"
    #: Called by services and machines: own authentication, no cookies, no form token.
    CLIENT = "client"
    #: Called by browsers from other sites with a POST that only starts something.
    CROSS_SITE = "cross_site"


class RoleRefused(Forbidden):
    """Somebody of the staff is signed in, but her role does not open this view."""

    def __init__(self, member: StaffMember | None) -> None:
        super().__init__()
        #: None: she has no role (any more).
        self.member = member


@dataclass(frozen=True)
class Guard:
    """The guard of a view; `permission` and `elsewhere` only for staff."""

    kind: GuardKind
    permission: Permission | None = None
    elsewhere: Elsewhere | None = None


def open_to_all(view: View) -> View:
    """Let anyone in; forms still need their token."""
    return _set(view, Guard(GuardKind.OPEN))


def signed_in(view: View) -> View:
    """Let a signed-in family member in; others are sent to sign in and come back."""
    return _set(view, Guard(GuardKind.SIGNED_IN))


def staff(permission: Permission, *, elsewhere: Elsewhere | None = None) -> Callable[[View], View]:
    """Let a member of staff in whose role has the permission; other staff: elsewhere, or 403."""
    return lambda view: _set(view, Guard(GuardKind.STAFF, permission, elsewhere))


def client_endpoint(view: View) -> View:
    """Let machines in: the view authenticates them itself."""
    return _set(view, Guard(GuardKind.CLIENT))


def cross_site(view: View) -> View:
    """Let a browser in that another site sends by GET or POST (the authorization endpoint)."""
    return _set(view, Guard(GuardKind.CROSS_SITE))


def _set(view: View, guard: Guard) -> View:
    assert not hasattr(view, "guard")
    view.guard = guard  # type: ignore[attr-defined]
    return view


def guard_of(endpoint: str | None) -> Guard | None:
    """Return the guard of an endpoint; None for files and unknown addresses."""
    view = current_app.view_functions.get(endpoint or "")
    return getattr(view, "guard", None)


def enforce() -> Response | None:
    """Check the request before its view: shape, rate, person, form token, permission."""
    start_request(RequestState(request_id=new_id(now=services().clock())))
    endpoint = this_request().endpoint
    if endpoint == "static":
        return None
    check_shape()
    guard = guard_of(endpoint)
    if guard is None:
        name_browser()
        return None
    check_open()
    if guard.kind is GuardKind.CLIENT:
        return None
    check_rate()
    _recognise_person()
    name_browser()
    if guard.kind is not GuardKind.CROSS_SITE:
        _check_form()
    return _admit(guard)


def _recognise_person() -> None:
    token, now = read_cookie("session"), services().clock()
    if token is None:
        show_state(None, now=now)
        return
    with reading(services().sessions) as db:
        person = find_session(db, token, now=now)
        ran_out = person is None and has_run_out(db, token, now=now)
    if person is None:
        drop_cookie("session")
        state().session_ran_out = ran_out
    elif is_touch_due(person, now=now):
        with transaction(services().sessions) as db:
            touch_session(db, person.session_id, now=now)
        person = replace(person, last_seen_at=now)
    state().person = person
    show_state(person, now=now)


def _check_form() -> None:
    try:
        check_form()
    except FormRefused as refused:
        _note(refused.reason)
        raise


def _note(reason: Refusal) -> None:
    """Write down that a signed-in person's request is refused (BR-01)."""
    person = state().person
    if person is None:
        return
    refused = RefusedRequest(reason, request.method, request.endpoint or "")
    with transaction(services().sessions) as db:
        note_refusal(db, refused, person, current_actor(), now=services().clock())


def _admit(guard: Guard) -> Response | None:
    person = state().person
    if guard.kind is GuardKind.SIGNED_IN and (person is None or person.door != FAMILY):
        return _to_sign_in("/login")
    if guard.kind is GuardKind.STAFF:
        if person is None or person.door != STAFF:
            return _to_sign_in("/staff/login")
        return _admit_staff(guard)
    return None


def _admit_staff(guard: Guard) -> Response | None:
    person = state().person
    assert person is not None
    assert guard.permission is not None
    with reading(services().sessions) as db:
        member = find_staff_member(db, person.account_id, now=services().clock())
    if member is None:
        _note(Refusal.NO_ROLE)
        raise RoleRefused(None)
    if guard.permission not in member.permissions:
        if guard.elsewhere is None:
            _note(Refusal.PERMISSION)
            raise RoleRefused(member)
        return redirect(guard.elsewhere(member), code=303)  # type: ignore[return-value]
    state().staff = member
    return None


def _to_sign_in(path: str) -> Response:
    """Send a browser to sign in; a form that was posted cannot be repeated, its page can."""
    facts = {"expired": "1"} if state().session_ran_out else {}
    if request.method in {"GET", "HEAD"}:
        facts["next"] = request.full_path.rstrip("?")
    return redirect(with_query(path, facts), code=303)  # type: ignore[return-value]
