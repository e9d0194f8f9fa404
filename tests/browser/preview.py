"""Every page with invented facts, without the provider: to look at, and to judge.

    python -m tests.browser.preview FOLDER [WORD]

writes a picture of each page (or of those whose name holds WORD) in Japanese and English, for a
phone and a desk.
"""

import functools
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from flask import Flask, render_template, request
from jinja2 import StrictUndefined

from idp.base.texts import format_date, format_datetime, format_time, load_texts
from tests.browser.samples import PAGES
from tests.chromium import DESKTOP, PHONE, open_chromium

ROOT = Path(__file__).parents[2]
ORIGIN = "http://localhost"
LANGUAGES = {"ja": "日本語", "en": "English"}
#: The provider's own, without its nonce: a page of ours needs no script but the file.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
SITES = {
    "ja": ("架空市", "こども課", "平日 8時30分から17時15分まで", "子育てログイン"),
    "en": ("Kakuu City", "Children’s Division", "Weekdays, 8:30 to 17:15", "Kosodate Login"),
}
TEXTS = load_texts(ROOT / "templates/texts")


def make_app():
    """A small application that renders templates as the provider does, but misses no fact."""
    app = Flask(
        "preview", template_folder=ROOT / "templates", static_folder=ROOT / "idp/web/static"
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    for name, write in (
        ("jdate", format_date),
        ("jtime", format_time),
        ("jdatetime", format_datetime),
    ):
        app.jinja_env.filters[name] = functools.partial(_write, write)
    app.context_processor(_facts)
    app.add_url_rule("/<lang>/<path:name>", view_func=show)
    return app


def show(lang, name):
    facts = {"errors": []} | PAGES[name]
    return render_template(f"{name.partition('--')[0]}.html", **facts)


def _write(write, value):
    return write(request.view_args["lang"], value)


def _facts():
    lang = request.view_args["lang"]
    town, office, hours, service = SITES[lang]
    return {
        "t": functools.partial(TEXTS.get, lang),
        "lang": lang,
        "languages": [
            SimpleNamespace(tag=tag, name=name, href=f"/{tag}/signin/login", current=tag == lang)
            for tag, name in LANGUAGES.items()
        ],
        "site": SimpleNamespace(
            municipality_name=town,
            office=office,
            tel="0000-12-3456",
            tel_href="tel:0000123456",
            hours=hours,
            service_name=service,
            domain="login.kakuu.example",
            mail_domain="login.kakuu.example",
            issuer="https://login.kakuu.example",
        ),
        "csp_nonce": "n",
        "csrf_field": str,
        "client_name": None,
        "person": None,
        "staff_member": None,
        "emergency": None,
        "request_id": "0193-7f3k-29qd",
    }


@contextmanager
def open_pages(browser, **options):
    """Open a page of the browser for which every address is answered by the preview."""
    client = make_app().test_client()
    context = browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", **options)

    def answer(route):
        address = route.request.url.removeprefix(ORIGIN)
        with client.get(address) as reply:
            headers = {"Content-Security-Policy": POLICY, "Content-Type": reply.content_type}
            route.fulfill(status=reply.status_code, headers=headers, body=reply.data)

    context.route(f"{ORIGIN}/**", answer)
    yield context.new_page()
    context.close()


def main(folder, word=""):
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    with open_chromium() as browser:
        for size in (PHONE, DESKTOP):
            with open_pages(browser, viewport=size) as page:
                for name in (each for each in PAGES if word in each):
                    for lang in LANGUAGES:
                        page.goto(f"{ORIGIN}/{lang}/{name}")
                        picture = f"{name.replace('/', '-')}.{lang}.{size['width']}.png"
                        page.screenshot(path=out / picture, full_page=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
