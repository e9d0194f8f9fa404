"""The cookies of a relying party: the visit, and the language somebody chose."""

from flask import request
from werkzeug.wrappers import Response

from clients.kit.context import kit
from clients.kit.texts import LANGUAGES


def visit_token() -> str:
    """Return what the visit cookie holds; empty when there is none."""
    return request.cookies.get(_name("visit"), "")


def set_visit(response: Response, token: str) -> None:
    """Give the browser a visit; it forgets it when it is closed."""
    _set(response, "visit", token)


def forget_visit(response: Response) -> None:
    """Take the visit cookie away."""
    response.delete_cookie(
        _name("visit"), path="/", secure=kit().is_secure, httponly=True, samesite="Lax"
    )


def chosen_language() -> str | None:
    """Return the language chosen in this browser, if any."""
    chosen = request.cookies.get(_name("language"), "")
    return chosen if chosen in LANGUAGES else None


def set_language(response: Response, lang: str) -> None:
    """Remember a choice of language until the browser is closed."""
    _set(response, "language", lang)


def _set(response: Response, purpose: str, value: str) -> None:
    response.set_cookie(
        _name(purpose), value, path="/", secure=kit().is_secure, httponly=True, samesite="Lax"
    )


def _name(purpose: str) -> str:
    """Every port of a host shares its cookies, so each application has names of its own."""
    prefix = "__Host-" if kit().is_secure else ""
    return f"{prefix}{kit().site.name}-{purpose}"
