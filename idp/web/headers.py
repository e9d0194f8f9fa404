"""Headers of every answer, errors and redirects included (BR-04)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Response

from idp.web.cookies import apply_cookies
from idp.web.deps import RequestState, services, state, this_request

_ONLY_TLS = "max-age=31536000; includeSubDomains"
#: No view sets these itself.
_SAME_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
]
#: Where an answer's own headers wait for the server's list of them.
_OWN = "kosodate.headers"
_NOT_KEPT = [("Cache-Control", "no-store"), ("Vary", "Cookie")]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
#: Services of a demonstration on one machine.
_LOOPBACK = " http://127.0.0.1:* http://localhost:*"


class SameHeaders:
    """Adds what is the same in every answer, below Flask: nothing is looked at again each time."""

    def __init__(self, application: Application, *, only_tls: bool) -> None:
        self._application = application
        tls = [("Strict-Transport-Security", _ONLY_TLS)] if only_tls else []
        self._headers = [*_SAME_ALWAYS, *tls]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:  # noqa: ANN401
        """Answer like the application."""

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401
            own = environ.get(_OWN, ())
            return start_response(status, [*headers, *self._headers, *own], *rest)

        return self._application(environ, started)


def finish(response: Response) -> Response:
    """Add what every answer carries, and the cookies the view asked for."""
    current, request = state(), this_request()
    own = [("X-Request-Id", str(current.request_id)), *_headers_of(current)]
    if "Cache-Control" not in response.headers and request.endpoint != "static":
        own += _NOT_KEPT
    # No view sets one of these: in the server's list nothing is looked for to be replaced.
    request.environ[_OWN] = own
    if current.cookies:
        apply_cookies(response)
    return response


def _headers_of(current: RequestState) -> Sequence[tuple[str, str]]:
    """Return what a browser has to know of this page; for what is no page it is always the same."""
    is_framed = bool(current.framed_origins) or current.may_be_framed
    if not (current.nonce or is_framed or current.leads_elsewhere):
        return _OF_NO_PAGE
    policy = ("Content-Security-Policy", _policy(current))
    return [policy] if current.may_be_framed else [policy, _UNFRAMED]


def _policy(current: RequestState) -> str:
    return _write_policy(
        scripts=_scripts(current),
        frames=" ".join(current.framed_origins) or "'none'",
        form_targets=_form_targets(current),
        frame_owners=_frame_owners(current),
    )


def _scripts(current: RequestState) -> str:
    if current.nonce:
        return f"'self' 'nonce-{current.nonce}'"
    # A page that is the same for everyone and kept by browsers has files of ours, and no nonce.
    return "'self'" if current.may_be_framed else "'none'"


def _write_policy(*, scripts: str, frames: str, form_targets: str, frame_owners: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            f"frame-src {frames}",
            f"form-action {form_targets}",
            "object-src 'none'",
            "base-uri 'none'",
            f"frame-ancestors {frame_owners}",
        )
    )


_UNFRAMED = ("X-Frame-Options", "DENY")
_OF_NO_PAGE = (
    (
        "Content-Security-Policy",
        _write_policy(
            scripts="'none'", frames="'none'", form_targets="'self'", frame_owners="'none'"
        ),
    ),
    _UNFRAMED,
)


def _frame_owners(current: RequestState) -> str:
    if not current.may_be_framed:
        return "'none'"
    return f"https:{_LOOPBACK}" if services().settings.dev.allow_http else "https:"


def _form_targets(current: RequestState) -> str:
    """Browsers hold every redirect after a form to this list, so a walk to a service needs it.

    Where the service sends its browser afterwards is not ours to know: any https origin.
    """
    if not current.leads_elsewhere:
        return "'self'"
    if services().settings.dev.allow_http:
        return f"'self' https:{_LOOPBACK}"
    return "'self' https:"
