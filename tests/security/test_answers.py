"""What every answer carries, whatever it says (BR-04, BR-05, BR-09, LG-02, LG-06)."""

import re
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from idp.web.deps import SERVICES
from tests.security.support import fill, is_id, routes, visitors
from tests.web.applications import ORIGIN, build_app
from tests.web.pages import Browser, Page

#: What no answer of ours may hold: languages, libraries, statements, places.
INSIDE = re.compile(
    r"Traceback \(|Werkzeug/|Flask|SQLAlchemy|sqlite3\.|psycopg"
    r"|SELECT \w+\.|INSERT INTO|line \d+, in|Python/"
)
CANARY = "canary-7d1f3"
#: The one page that services show in their frames (Session Management §3.2).
FRAMED = "/check_session"


class BrokenError(Exception):
    """Something nobody thought of, with a secret in its message."""


def fail():
    raise BrokenError(CANARY)


def gone():
    raise OperationalError(f"SELECT {CANARY}", {"email": CANARY}, Exception(CANARY))


def breaking(app, sessions):
    """Let every transaction of the application fail so."""
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], sessions=sessions)


def assert_defended(page, path=""):
    headers = page.headers
    policy = dict(
        part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] in {"'none'", "'self'"}, path
    assert policy["object-src"] == policy["base-uri"] == policy["frame-src"] == "'none'", path
    assert "unsafe" not in headers["Content-Security-Policy"], path
    assert policy["form-action"].startswith("'self'"), path
    if path == FRAMED and page.status == 200:
        assert policy["frame-ancestors"] == "https:"
    else:
        assert policy["frame-ancestors"] == "'none'", path
        assert headers["X-Frame-Options"] == "DENY", path
    assert headers["X-Content-Type-Options"] == "nosniff", path
    assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, path
    age, _, rest = headers["Strict-Transport-Security"].partition(";")
    assert int(age.removeprefix("max-age=")) >= 31_536_000, path
    assert "includeSubDomains" in rest, path
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
    assert "Server" not in headers or not re.search(r"\d", headers["Server"]), path
    assert not INSIDE.search(page.text), (path, INSIDE.search(page.text))


def test_br_04_every_page_of_every_role_carries_the_headers(app, roles, here):
    for rule, _kind in routes(app, "GET"):
        for browser in visitors(roles, rule):
            assert_defended(browser.get(fill(rule, here)), rule)


PROVOKED = {
    "400": ("GET", "/login?x=%00", {}),
    "403": ("POST", "/login", {"data": {}}),
    "404": ("GET", "/nothing", {}),
    "405": ("DELETE", "/login", {}),
    "405 for machines": ("GET", "/token", {}),
    "413": ("POST", "/login", {"data": {"login_id": "x" * 2_000_000}}),
    "414": ("GET", "/login?x=" + "x" * 20_000, {}),
    "415": ("POST", "/api/notifications", {"data": "x"}),
    "static": ("GET", "/static/kosodate.css", {}),
    "no file": ("GET", "/static/nothing.css", {}),
    "foreign host": ("GET", "/login", {"headers": {"Host": "evil.example"}}),
    "options": ("OPTIONS", "/login", {}),
    "preflight": ("OPTIONS", "/token", {}),
    "moved": ("GET", "/staff", {}),
}


@pytest.mark.parametrize("kind", PROVOKED)
def test_br_04_every_refusal_carries_the_headers(browser, town, kind):
    method, path, options = PROVOKED[kind]
    browser.get("/login")
    answer = browser.client.open(
        path, method=method, base_url=ORIGIN, buffered=True, **({"data": None} | options)
    )
    page = Page(browser, answer)
    assert_defended(page, kind)
    if kind[:3].isdigit():
        assert page.status == int(kind[:3])


def test_br_04_too_many_requests_carry_the_headers(sqlite_url, clock):
    browser = Browser(build_app(sqlite_url, clock, limits={"per_minute": 10}))
    browser.get("/login")
    pages = [browser.post("/login") for _ in range(12)]
    assert pages[-1].status == 429
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert_defended(pages[-1])


@pytest.mark.parametrize(("sessions_of_the_app", "status"), [(fail, 500), (gone, 503)])
def test_br_04_lg_02_a_failure_on_any_route_shows_a_number_and_no_inside(
    app, roles, here, sessions_of_the_app, status, caplog
):
    breaking(app, sessions_of_the_app)
    failed = 0
    for rule, _kind in routes(app, "GET"):
        path = fill(rule, here)
        for browser in visitors(roles, rule):
            page = browser.get(path)
            assert page.status in {200, 204, 303, 400, 401, 404, 405, 415, status}, (path, page)
            assert_defended(page, path)
            assert CANARY not in page.text + str(page.headers), path
            if page.status == status:
                failed += 1
                assert is_id(page.headers["X-Request-Id"]), path
            if page.status == 503:
                assert int(page.headers["Retry-After"]) > 0, path
    assert failed > 30
    assert CANARY not in caplog.text


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/userinfo"])
def test_lg_02_a_failure_is_told_to_machines_in_json(app, rp, path):
    breaking(app, fail)
    answer = rp.call(path, token="x", grant_type="client_credentials")
    assert answer.status in {400, 401, 500}
    assert answer.response.content_type.startswith("application/json")
    assert CANARY not in answer.response.get_data(as_text=True)


def test_lg_02_the_page_shows_the_number_that_the_log_has(app, roles, caplog):
    breaking(app, fail)
    page = roles["family"].get("/account/profile")
    number = page.headers["X-Request-Id"]
    assert page.status == 500
    assert number in page.text
    assert number in caplog.text


def test_br_05_cookies_are_bound_to_this_host_and_hidden_from_scripts(
    app, enter, walk_in, browser, roles, here
):
    pages = [
        browser.get("/login"),
        enter(browser),
        walk_in(browser),
        browser.get("/language?to=en"),
    ]
    pages += [
        found.get(fill(r, here)) for r, _ in routes(app, "GET") for found in visitors(roles, r)
    ]
    cookies = [value for page in pages for value in page.headers.getlist("Set-Cookie")]
    assert {re.match(r"__Host-kid_(\w+)=", value)[1] for value in cookies} >= {
        "browser",
        "walk",
        "session",
        "language",
    }
    for value in cookies:
        parts = {part.strip().lower() for part in value.split(";")[1:]}
        hidden = {"samesite=lax", "httponly"}
        shown = {"samesite=none"}  # read by our page in the frames of services
        assert {"secure", "path=/"} <= parts, value
        assert (shown if value.startswith("__Host-kid_state=") else hidden) <= parts, value
        assert not any(part.startswith("domain") for part in parts), value
        assert len(value) < 300, value
        assert re.fullmatch(r"__Host-kid_\w+=[\w.-]*", value.partition(";")[0]), value


def test_br_05_nothing_personal_is_kept_by_anybody(app, roles, here):
    for rule, _kind in routes(app, "GET"):
        for browser in visitors(roles, rule):
            page = browser.get(fill(rule, here))
            if "public" not in page.headers["Cache-Control"]:
                assert "no-store" in page.headers["Cache-Control"], rule
                assert (
                    "Cookie" in page.headers.get("Vary", "")
                    or page.status >= 400
                    or (page.headers["Content-Type"].startswith("application/"))
                ), (rule, page)


def test_br_09_no_page_asks_another_host_for_anything(app, roles, here):
    for rule, _kind in routes(app, "GET"):
        for browser in visitors(roles, rule):
            page = browser.get(fill(rule, here))
            if "html" in page.headers["Content-Type"]:
                asked = re.findall(
                    r"<(?:script|img|link|iframe|source)[^>]*?(?:src|href)=\"([^\"]+)", page.text
                )
                assert [
                    each for each in asked if not each.startswith(("/", "data:", ORIGIN))
                ] == [], rule


HIDDEN = [
    "/.git/config", "/.env", "/config.toml", "/idp/app.py", "/idp.sqlite3", "/static/../app.py",
    "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/..\\app.py",
    "/static/%00", "/static/kosodate.css.map", "/static/kosodate.css~", "/metrics", "/debug",
    "/docs", "/console", "/server-status", "/templates/base/page.html", "/static/",
]  # fmt: skip


@pytest.mark.parametrize("path", HIDDEN)
def test_lg_06_lg_03_in_08_nothing_of_the_inside_is_served(browser, town, path):
    page = browser.get(path)
    assert page.status in {400, 404}, page
    assert not INSIDE.search(page.text)


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/login", "/token", "/authorize", "/jwks", "/staff/"])
def test_lg_06_methods_nobody_needs_are_refused(browser, town, method, path):
    page = browser._open(method, path, headers={})
    assert page.status == 405
    assert page.headers["Allow"]


def test_lg_03_health_says_no_more_than_it_must(browser, town):
    assert browser.get("/health/live").text.strip() == '{"status":"alive"}'
    assert browser.get("/health/ready").text.strip() == '{"status":"ready"}'
