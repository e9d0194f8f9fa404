"""The headers every answer carries."""

from urllib.parse import urlsplit

from flask import Response, request

from clients.kit.context import kit


def add_headers(response: Response) -> Response:
    """Forbid what no page of ours needs; keep nothing but the style sheet and the mark.

    `form-action` names the provider, because browsers apply it to the redirect after sign-out.
    With the policy `no-referrer` browsers would send `Origin: null` for our own forms.
    """
    issuer = urlsplit(kit().settings.issuer)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
        f" form-action 'self' {issuer.scheme}://{issuer.netloc}; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if kit().is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
        response.vary.add("Cookie")
    return response
