"""Pages: the facts every template gets, and the page for things that went wrong."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Response, make_response, render_template, request, url_for

from clients.kit import dates
from clients.kit.context import kit, visit_of_request
from clients.kit.cookies import chosen_language
from clients.kit.secret import mark
from clients.kit.texts import LANGUAGES, SOURCE_LANGUAGE
from clients.kit.visits import Visit


def page_language() -> str:
    """Return the chosen language, else the account's, else the browser's."""
    visit = visit_of_request()
    account = visit.person.locale.split("-")[0] if visit and visit.person else ""
    wanted = request.accept_languages.best_match(LANGUAGES)
    found = chosen_language() or (account if account in LANGUAGES else wanted)
    return found or SOURCE_LANGUAGE


def say_in(lang: str) -> Callable[..., str]:
    """Return the function that looks texts up in one language."""
    return partial(kit().texts.get, lang)


def csrf_token(visit: Visit) -> str:
    """Return the mark that a form of this visit carries."""
    return mark(kit().settings.session_key, "csrf", visit.key)


def render(template: str, *, status: int = 200, **facts: object) -> Response:
    """Render a page with what all pages show."""
    lang = page_language()
    return make_response(render_template(template, **_frame(lang), **facts), status)


def render_error(kind: str, status: int, **facts: object) -> Response:
    """Say what went wrong, in the person's words, and offer the way on."""
    return render("kit/error.html", status=status, kind=kind, **facts)


def _frame(lang: str) -> dict[str, Any]:
    found, visit = kit(), visit_of_request()
    say = say_in(lang)
    office = found.settings.office
    signed_in = visit is not None and visit.person is not None
    return {
        "lang": lang,
        "t": say,
        "languages": [(code, say(f"language.{code}")) for code in LANGUAGES],
        "here": request.full_path.rstrip("?") if request.method == "GET" else "/",
        "person": visit.person if visit else None,
        "csrf_token": csrf_token(visit) if visit and signed_in else "",
        "navigation": _navigation(say) if signed_in else [],
        "place": office.name[lang],
        "office": office.office[lang],
        "tel": office.tel,
        "hours": office.hours[lang],
        "issuer": found.settings.issuer.rstrip("/"),
        "base_url": found.settings.base_url,
        "long_day": partial(dates.long_day, say=say),
        "plain_day": partial(dates.plain_day, say=say),
        "short_day": partial(dates.short_day, say=say),
        "month_day": partial(dates.month_day, say=say),
        "time_range": partial(dates.hours, say=say),
        "moment": partial(dates.moment, say=say),
    }


def _navigation(say: Callable[..., str]) -> list[tuple[str, str, bool]]:
    return [
        (url_for(endpoint), say(key), request.endpoint == endpoint)
        for endpoint, key in kit().site.navigation.items()
    ]
