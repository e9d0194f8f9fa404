"""Headers of every answer, errors and redirects included (BR-04)."""

import secrets

from flask import Response, request

from idp.web.cookies import apply_cookies
from idp.web.deps import services, state

_ONE_YEAR_SECONDS = 31_536_000
#: Services of a demonstration on one machine.
_LOOPBACK = " http://127.0.0.1:* http://localhost:*"


def new_nonce() -> str:
    """Make the nonce that the scripts of one page carry."""
    return secrets.token_urlsafe(16)


def finish(response: Response) -> Response:
    """Add what every answer carries, and the cookies the view asked for."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _policy())
    if not state().may_be_framed:
        headers["X-Frame-Options"] = "DENY"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["X-Request-Id"] = str(state().request_id)
    if services().settings.provider.issuer.startswith("https://"):
        headers["Strict-Transport-Security"] = f"max-age={_ONE_YEAR_SECONDS}; includeSubDomains"
    if request.endpoint != "static" and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
        headers.add("Vary", "Cookie")
    apply_cookies(response)
    return response


def _policy() -> str:
    nonce = state().nonce
    frames = " ".join(state().framed_origins) or "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'" if nonce else "script-src 'none'",
            "style-src 'self'",
            "img-src 'self' data: https:",
            "connect-src 'self'",
            f"frame-src {frames}",
            f"form-action {_form_targets()}",
            "object-src 'none'",
            "base-uri 'none'",
            f"frame-ancestors {_frame_owners()}",
        )
    )


def _frame_owners() -> str:
    if not state().may_be_framed:
        return "'none'"
    return f"https:{_LOOPBACK}" if services().settings.dev.allow_http else "https:"


def _form_targets() -> str:
    """Browsers hold every redirect after a form to this list, so a walk to a service needs it.

    Where the service sends its browser afterwards is not ours to know: any https origin.
    """
    if not state().leads_elsewhere:
        return "'self'"
    if services().settings.dev.allow_http:
        return f"'self' https:{_LOOPBACK}"
    return "'self' https:"
