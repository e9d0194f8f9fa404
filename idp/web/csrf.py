"""Form tokens: a POST of ours comes from a page of ours, in the same browser (BR-01, BR-03)."""

from flask import request
from werkzeug.exceptions import Forbidden

from idp.base.secret import equal, keyed_digest, new_token, to_base64url
from idp.domain.signin.refusals import Refusal
from idp.web.cookies import read_cookie
from idp.web.deps import put_cookie, services, state

FIELD = "form_token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class FormRefused(Forbidden):
    """A form that is not ours, or a page from before the last sign-in."""

    reason = Refusal.FORM_TOKEN


class ForeignForm(FormRefused):
    """A form that another site sent."""

    reason = Refusal.FOREIGN_ORIGIN


class CookiesOff(FormRefused):
    """The browser sent no cookie at all: the person must allow them (B41)."""

    reason = Refusal.COOKIES_OFF


def name_browser() -> None:
    """Give the browser its random name, so that a token can be bound to it."""
    known = read_cookie("browser")
    state().browser = known or new_token()
    if known is None and request.method in {"GET", "HEAD"}:
        put_cookie("browser", state().browser)


def form_token() -> str:
    """Return the token of this browser and this session."""
    person = state().person
    bound_to = f"{state().browser}|{person.session_id if person else ''}"
    return to_base64url(keyed_digest(services().keys.form_key, bound_to))


def check_form() -> None:
    """Refuse an unsafe request that did not come from a page of ours.

    Raises:
        CookiesOff: the browser keeps no cookies.
        ForeignForm: another site sent it.
        FormRefused: a missing or foreign token.
    """
    if request.method in _SAFE_METHODS:
        return
    _check_origin()
    if read_cookie("browser") is None:
        raise CookiesOff
    given = request.form.get(FIELD, "")
    if not equal(given.encode("utf-8", "replace"), form_token().encode()):
        raise FormRefused


def _check_origin() -> None:
    # Our pages say Referrer-Policy: same-origin; under no-referrer browsers send Origin: null.
    origin = request.headers.get("Origin")
    if origin is not None and origin != services().settings.provider.issuer:
        raise ForeignForm
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignForm
