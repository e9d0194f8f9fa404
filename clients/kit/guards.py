"""Who may come in: every view has exactly one of these guards."""

from collections.abc import Callable
from functools import wraps

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from clients.kit.context import Member, kit, remember_visit
from clients.kit.cookies import visit_token
from clients.kit.pages import csrf_token, render_error
from clients.kit.secret import same
from clients.kit.visits import Visit, resume_visit

View = Callable[..., ResponseReturnValue]

#: Unsafe views that others' pages or servers call, so that no form of ours can come before them.
FROM_OUTSIDE = frozenset({"signin.login", "signout.backchannel_logout"})


def open_to_all(view: View) -> View:
    """Let anybody in; the visit is resumed if there is one, so that the page knows its language."""

    @wraps(view)
    def guarded(**arguments: object) -> ResponseReturnValue:
        find_visit()
        return view(**arguments)

    return _marked(guarded, "open_to_all")


def machines(view: View) -> View:
    """Let anybody in without a look at cookies: for other servers and supervisors."""
    return _marked(view, "machines")


def signed_in(view: View) -> View:
    """Let in who is signed in, whether or not there is a household. The view gets the visit."""

    @wraps(view)
    def guarded(**arguments: object) -> ResponseReturnValue:
        visit = find_visit()
        if visit is None or visit.person is None:
            return _ask_to_sign_in()
        if request.method == "POST" and not _is_our_form(visit):
            return render_error("form", 403)
        return view(visit, **arguments)

    return _marked(guarded, "signed_in")


def household_member(view: View) -> View:
    """Let in who acts for a household and may use this service. The view gets the member."""

    @wraps(view)
    def checked(visit: Visit, **arguments: object) -> ResponseReturnValue:
        person = visit.person
        if person is None or person.household is None:
            return render_error("no_household", 403)
        if not person.may(kit().site.category, now=kit().clock()):
            return render_error("not_delegated", 403)
        return view(Member(visit, person, person.household), **arguments)

    return _marked(signed_in(checked), "household_member")


def find_visit() -> Visit | None:
    """Resume the visit of the request's cookie and keep it for the page."""
    token, visit = visit_token(), None
    if token:
        with kit().database.write() as db:
            visit = resume_visit(db, token, now=kit().clock())
    remember_visit(visit)
    return visit


def _marked(view: View, guard: str) -> View:
    view.guard = guard  # type: ignore[attr-defined]  # what the test of the routes looks for
    return view


def _ask_to_sign_in() -> ResponseReturnValue:
    """Send a reader to the sign-in and back here; what a form held is lost, and we say so."""
    if request.method in {"GET", "HEAD"}:
        return redirect(url_for("signin.login", next=request.full_path.rstrip("?")), 303)
    return render_error("expired", 403)


def _is_our_form(visit: Visit) -> bool:
    """Check the form's mark, and what the browser says about the page it stood on."""
    origin = request.headers.get("Origin", kit().settings.base_url)
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return (
        origin == kit().settings.base_url
        and site in {"same-origin", "none"}
        and same(request.form.get("csrf_token", ""), csrf_token(visit))
    )
