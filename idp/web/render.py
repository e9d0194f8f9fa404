"""Pages: templates with the facts that every one of them has."""

import functools
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import (
    Flask,
    get_template_attribute,
    make_response,
    redirect,
    render_template,
    request,
)
from werkzeug.wrappers import Response as AnyResponse

from idp.base.texts import format_date, format_datetime, format_time
from idp.base.url import with_query
from idp.db.errors import UNAVAILABLE
from idp.db.session import reading
from idp.domain.people.sites import Site, find_site
from idp.domain.upkeep.maintenance import find_announced
from idp.web.cookies import read_cookie
from idp.web.csrf import form_token
from idp.web.deps import services, state
from idp.web.idle import read_idle

_LANGUAGE_NAMES = {"ja": "日本語", "ja-simple": "やさしい日本語", "en": "English"}


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: the key of the text, and its facts."""

    field: str
    key: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Language:
    tag: str
    name: str
    href: str
    current: bool


@dataclass(frozen=True)
class _SiteFacts:
    municipality_name: str
    office: str
    tel: str
    tel_href: str
    hours: str
    service_name: str
    domain: str
    #: What follows the @ of our mails: what families have their mail program let in.
    mail_domain: str
    issuer: str


@dataclass(frozen=True)
class _PersonFacts:
    name: str
    role_label_key: str | None


def field_error(field: str, key: str, **facts: object) -> FieldError:
    """Name what is wrong with a field."""
    return FieldError(field=field, key=key, facts=facts)


def page(template: str, status: int = 200, **facts: object) -> AnyResponse:
    """Render a page; a failed form comes back with 422, too many tries with 429."""
    response = make_response(render_template(template, **facts), status)
    response.headers["Content-Language"] = language()
    return response


def see_other(address: str) -> AnyResponse:
    """Answer a successful POST, or hand over: 303, so that nothing is posted twice (BR-07)."""
    return redirect(address, code=303)


def send_reply(redirect_uri: str, params: dict[str, str]) -> AnyResponse:
    """Send the browser to a client with the parameters of the answer in the query."""
    response = redirect(with_query(redirect_uri, params), code=303)
    response.headers["Cache-Control"] = "no-store"
    return response


def language() -> str:
    """Return the language of this answer: chosen, the person's, the browser's, Japanese."""
    known = services().texts.languages
    person = state().person
    for tag in (read_cookie("language"), person.locale if person else None):
        if tag in known:
            assert tag is not None
            return tag
    return request.accept_languages.best_match([*known], default="ja") or "ja"


def register(app: Flask) -> None:
    """Give every template its facts and filters."""
    app.context_processor(_common_facts)
    app.jinja_env.filters["jdate"] = _write_date
    app.jinja_env.filters["jtime"] = _write_time
    app.jinja_env.filters["jdatetime"] = _write_datetime
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _common_facts() -> dict[str, Any]:
    tag = language()
    texts = services().texts
    person = state().person
    return {
        "t": functools.partial(texts.get, tag),
        "lang": tag,
        "languages": [_language_link(known, tag) for known in texts.languages],
        "site": _site_facts(tag),
        "csp_nonce": state().nonce_of_page(),
        "csrf_field": _csrf_field,
        "client_name": state().client_name,
        "walk_query": with_query("", {"i": str(state().walk_id)}) if state().walk_id else "",
        "person": _PersonFacts(person.name, person.role_label_key) if person else None,
        "staff_member": state().staff,
        "idle": read_idle(person, now=services().clock()) if person else None,
        "emergency": _announce(tag),
        "request_id": str(state().request_id),
    }


def _announce(tag: str) -> str | None:
    """Say when nobody can sign in, and what the operator says beside it (B43)."""
    window = find_announced(state().maintenance, now=services().clock())
    if window is None:
        return None
    times = {"start": window.starts_at, "end": window.ends_at}
    text = services().texts.get(tag, "common.maintenance", **times)
    note = window.note_ja if tag.startswith("ja") else window.note_en
    return f"{text} {note}" if note else text


def _csrf_field() -> str:
    field: str = get_template_attribute("macros/form_token.html", "csrf_field")(form_token())
    return field


def _language_link(tag: str, current: str) -> _Language:
    # The page comes back in the other language; a posted form comes back by its address.
    back = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return _Language(
        tag=tag,
        name=_LANGUAGE_NAMES.get(tag, tag),
        href=with_query("/language", {"to": tag, "next": back}),
        current=tag == current,
    )


def _site_facts(tag: str) -> _SiteFacts:
    settings = services().settings
    issuer = settings.provider.issuer
    site = _find_site()
    domain = issuer.partition("://")[2]
    mail_domain = settings.mail.from_address.rpartition("@")[2]
    if site is None:
        name = services().texts.get(tag, "common.product")
        return _SiteFacts("", "", "", "", "", name, domain, mail_domain, issuer)
    japanese = tag.startswith("ja")
    return _SiteFacts(
        municipality_name=site.name if japanese else site.name_en,
        office=site.office if japanese else site.office_en,
        tel=site.tel,
        tel_href=f"tel:{''.join(sign for sign in site.tel if sign.isdigit())}",
        hours=site.hours if japanese else site.hours_en,
        service_name=site.service_name if japanese else site.service_name_en,
        domain=domain,
        mail_domain=mail_domain,
        issuer=issuer,
    )


def _find_site() -> Site | None:
    """Look the municipality up; a page that reports the database gone does without."""
    person = state().person
    municipality_id = state().municipality_id or (person.municipality_id if person else None)
    known = state().site
    if known is not None and known.municipality_id == municipality_id:
        return known
    if state().database_is_away:
        return None
    try:
        with reading(services().sessions) as db:
            return find_site(
                db,
                municipality_id,
                default_code=services().settings.provider.default_municipality,
            )
    except UNAVAILABLE:
        return None


def _write_date(value: date | datetime) -> str:
    return format_date(language(), value)


def _write_time(value: datetime) -> str:
    return format_time(language(), value)


def _write_datetime(value: datetime) -> str:
    return format_datetime(language(), value)
