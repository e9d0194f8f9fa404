"""Errors as people and machines see them: a page or JSON, a number to quote, no inside."""

import logging
import math

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    SecurityError,
    TooManyRequests,
)
from werkzeug.wrappers import Response as AnyResponse

from idp.base.failures import places_of
from idp.db.errors import UNAVAILABLE
from idp.domain.signin.passwords import HasherBusy
from idp.web.csrf import CookiesOff, FormRefused
from idp.web.deps import services, state
from idp.web.guards import GuardKind, RoleRefused, guard_of
from idp.web.maintenance import ClosedForMaintenance, closed_until
from idp.web.render import page
from idp.web.staff.desk import console, start_of

_LOG = logging.getLogger(__name__)

#: Pages that say what happened; every other 4xx is a 400.
_PAGES = {400: "400", 403: "403", 404: "404", 405: "405", 413: "413", 414: "413", 429: "429"}
#: After how long trying again makes sense when the database or the hash pool is busy.
RETRY_SECONDS = 10


def register(app: Flask) -> None:
    """Answer every failure: expected ones by their kind, the rest as 500."""
    app.register_error_handler(CookiesOff, _cookies_off)
    app.register_error_handler(FormRefused, _form_refused)
    app.register_error_handler(RoleRefused, _role_refused)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(ClosedForMaintenance, _closed)
    app.register_error_handler(HTTPException, _expected)
    app.register_error_handler(HasherBusy, _unavailable)
    for kind in UNAVAILABLE:
        app.register_error_handler(kind, _unavailable)
    app.register_error_handler(Exception, _unexpected)


def _cookies_off(_error: CookiesOff) -> AnyResponse:
    return page("signin/cookies_off.html", 400)


def _form_refused(_error: FormRefused) -> AnyResponse:
    return page("signin/restart.html", 403)


def _role_refused(error: RoleRefused) -> AnyResponse:
    """Say that it is the role, and show what it does open."""
    if error.member is None:
        return page("error/role.html", 403, door="staff")
    state().staff = error.member
    return console("error/role.html", "", 403, start=start_of(error.member))


def _foreign_host(_error: SecurityError) -> AnyResponse:
    """Answer a Host that is not ours without a page: no address of ours can be built for it."""
    return Response("Bad Request\n", 400, mimetype="text/plain")


def _expected(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    answer = _json(status, _oauth_code(status)) if _is_machine() else _page_or_text(error, status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_after or 60)
    return answer


def _page_or_text(error: HTTPException, status: int) -> AnyResponse:
    try:
        return _page_of(error, status)
    except Exception as broken:  # noqa: BLE001 - the page may meet what the view never came to
        number = state().request_id
        kind, places = type(broken).__name__, places_of(broken)
        _LOG.error("page.failed kind=%s request_id=%s at=%s", kind, number, places)
        return Response(f"{status} {number}\n", status, mimetype="text/plain")


def _page_of(error: HTTPException, status: int) -> AnyResponse:
    if status >= 500:
        return page("error/500.html", status)
    facts: dict[str, object] = {}
    if isinstance(error, TooManyRequests):
        wait = error.retry_after if isinstance(error.retry_after, int) else 60
        facts["retry_minutes"] = max(1, -(-wait // 60))
    return page(f"error/{_PAGES.get(status, '400')}.html", status, **facts)


def _closed(error: ClosedForMaintenance) -> AnyResponse:
    """Say until when, to people and to machines (B43, RFC 9110 §15.6.4).

    The moment comes with the error: asked again here, the maintenance may have just ended.
    """
    until = error.until
    if _is_machine():
        answer = _json(503, "temporarily_unavailable")
    else:
        answer = page("error/maintenance.html", 503, until=until)
    seconds = (until - services().clock()).total_seconds()
    answer.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return answer


def _unavailable(error: Exception) -> AnyResponse:
    """Nothing was done and nothing is half done: say when to try again (FT-01)."""
    state().database_is_away = True
    until = closed_until()
    if until is not None:
        return _closed(ClosedForMaintenance(until))
    _LOG.error(
        "service.unavailable kind=%s request_id=%s", type(error).__name__, state().request_id
    )
    if _is_machine():
        answer = _json(503, "temporarily_unavailable")
    else:
        answer = page("error/503.html", 503, retry_seconds=RETRY_SECONDS)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _unexpected(error: Exception) -> AnyResponse:
    """The last resort: the trace goes to the log, the number to the person."""
    _LOG.error(
        "request.failed kind=%s endpoint=%s request_id=%s at=%s",
        type(error).__name__,
        request.endpoint,
        state().request_id,
        places_of(error),
    )
    if _is_machine():
        return _json(500, "server_error")
    try:
        return page("error/500.html", 500)
    except Exception:  # noqa: BLE001 - whatever broke the request may break its page as well
        return Response(f"Internal Server Error {state().request_id}\n", 500, mimetype="text/plain")


def _is_machine() -> bool:
    guard = guard_of(request.endpoint)
    return guard is not None and guard.kind is GuardKind.CLIENT


def _oauth_code(status: int) -> str:
    return "server_error" if status >= 500 else "invalid_request"


def _json(status: int, code: str) -> AnyResponse:
    answer = jsonify({"error": code})
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer
