"""Our cookies: opaque values under names a foreign host cannot set."""

from flask import Response, request

from idp.web.deps import services, state

#: session: signed in · browser: form tokens · walk: the sign-in under way · reset: the password
#: being set · device: known or trusted device · language: chosen before anyone is known · state:
#: which session it is, for our page in the frames of services · upstream: the proof under way
KINDS = frozenset(
    {"session", "browser", "walk", "reset", "device", "language", "state", "upstream"}
)


def cookie_name(kind: str) -> str:
    """Return the full name: `__Host-` binds a cookie to this very host (BR-05)."""
    assert kind in KINDS
    return f"__Host-kid_{kind}" if _is_secure() else f"kid_{kind}"


def read_cookie(kind: str) -> str | None:
    """Return the value the browser sent, if it is one we could have made."""
    value = request.cookies.get(cookie_name(kind))
    if value is None or len(value) > 200 or not value.isascii() or not value.isprintable():
        return None
    return value


def apply_cookies(response: Response) -> None:
    """Write the cookies that the view asked for."""
    for kind, (value, max_age) in state().cookies.items():
        is_state = kind == "state"
        response.set_cookie(
            cookie_name(kind),
            value or "",
            max_age=0 if value is None else max_age,
            secure=_is_secure(),
            # The one cookie that a script of ours reads, and inside a frame of another site.
            # Without https (a demonstration) browsers take SameSite=None from nobody; there
            # services are on this machine too, and so of the same site.
            httponly=not is_state,
            samesite="None" if is_state and _is_secure() else "Lax",
            path="/",
        )


def _is_secure() -> bool:
    return services().settings.provider.issuer.startswith("https://")
