"""What no view should ever see: odd bytes, odd kinds, odd sizes, odd addresses."""

import json
import logging

import pytest
from limits.errors import StorageError

from idp.web.deps import SERVICES, peer_address
from idp.web.limits import LIMITER, RateLimiter, network_of
from tests import factories
from tests.security.support import form_routes, form_token, masked, role_of, rows
from tests.security.test_forms import TRACES
from tests.web.applications import ORIGIN, build_app
from tests.web.pages import Browser, Page

FORM = "application/x-www-form-urlencoded"


def send(browser, path, data, kind=FORM, **headers):
    answer = browser.client.post(
        path, data=data, content_type=kind, headers=headers, **browser.options
    )
    return Page(browser, answer)


#: NUL, half a character, a character written too long, half a pair.
ODD = ["%00", "a%00b", "%ff", "%c3", "%c0%ae", "%ed%a0%80", "%f8%88%80%80%80"]


@pytest.mark.parametrize("odd", ODD)
def test_in_07_odd_bytes_are_refused_in_every_form_and_address(app, roles, sessions, odd):
    tokens = {name: form_token(browser) for name, browser in roles.items()}
    before = rows(sessions, without=("browser_session",))
    for path in form_routes(app):
        name = role_of(path)
        body = f"form_token={tokens[name]}&login_id={odd}&password=x"
        assert send(roles[name], path, body).status == 400, path
        assert send(roles[name], f"{path}?i={odd}", "").status == 400, path
    for path in ("/", "/login", "/authorize", "/staff/", "/documents/terms", "/nothing"):
        assert roles["clerk"].get(f"{path}?q={odd}").status == 400, path
        assert roles["clerk"].get(f"{path}{odd}").status in {400, 404}, path
    assert rows(sessions, without=("browser_session",)) == before


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "text/plain", "application/json", ""]
)
def test_in_07_in_06_a_form_of_another_kind_is_refused(app, roles, sessions, kind):
    browser = roles["family"]
    token = form_token(browser)
    body = (
        f'--x\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{token}\r\n'
        '--x\r\nContent-Disposition: form-data; name="to"\r\n\r\nen\0\r\n--x--\r\n'
    )
    before = rows(sessions, without=TRACES)
    assert send(browser, "/language", body, kind).status in {400, 403, 415}
    assert rows(sessions, without=TRACES) == before


@pytest.mark.parametrize("value", ["\udcff", "a\x00b", "x" * 5_000, "é", "../../x", '";x="'])
@pytest.mark.parametrize("cookie", ["session", "browser", "walk", "reset", "device", "language"])
def test_in_07_an_odd_cookie_is_none(browser, town, cookie, value):
    odd = value.encode("utf-8", "surrogateescape").decode("latin-1")
    page = browser.get("/login", Cookie=f"__Host-kid_{cookie}={odd}")
    assert page.status == 200


@pytest.mark.parametrize(
    "header", ["User-Agent", "Accept-Language", "Referer", "Origin", "Authorization"]
)
@pytest.mark.parametrize("value", ["\xff\xfe", "x" * 8_000, "*;q=nan", "a" + ",b" * 2_000])
def test_in_07_an_odd_header_breaks_nothing(browser, town, rp, header, value):
    for path in ("/login", "/userinfo", "/authorize?client_id=rp", "/jwks"):
        assert browser.get(path, **{header: value}).status < 500, path
    answer = rp.http.post("/token", headers={header: value}, base_url=ORIGIN)
    assert answer.status_code < 500


@pytest.mark.parametrize("ui_locales", ["../../etc/passwd", "ja/../..", "x" * 900, "ja en \t", "*"])
def test_in_08_az_13_a_language_nobody_has_is_ignored(rp, browser, session_id, ui_locales):
    page = rp.authorize(browser, ui_locales=ui_locales)
    assert page.status in {200, 303}


@pytest.mark.parametrize("to", ["../../etc/passwd", "en/../ja", "", "xx", "EN"])
def test_in_08_no_language_is_a_path(browser, town, to):
    page = browser.get(f"/language?to={to}&next=/login")
    assert (page.status, page.location) == (303, "/login")
    assert browser.cookie("language") is None


#: What finds everything in a directory, a document or a table when it is put into a query.
TRICKS = [
    "*)(uid=*))(&(uid=*",
    "' or '1'='1",
    '{"$ne":null}',
    "*",
    "%",
    "' or 1=1--",
    "\\",
    "x' and",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_in_09_in_01_a_trick_is_an_id_that_nobody_has(browser, mother, enter, trick):
    plain = enter(Browser(browser.client.application, address="198.51.100.8"), "nobody.sakura")
    for login_id, password in ((trick, factories.PASSWORD), (mother.login_id, trick)):
        page = enter(browser, login_id, password)
        assert page.status == plain.status == 422
        assert browser.cookie("session") is None


@pytest.mark.parametrize("trick", TRICKS)
def test_in_09_a_trick_is_no_code_and_no_token(rp, browser, enter, sessions, trick):
    page = enter(browser).arrive()
    assert page.submit(code=trick).status == 422
    assert rp.userinfo("x" + trick.replace("\\", "")).status == 401
    assert rp.introspect(trick) == {"active": False}
    assert rp.refresh(trick).error == (400, "invalid_grant")


@pytest.mark.parametrize(
    "login_id", ["a\r\nb@example.jp", "\x1b[31mred@example.jp", "x\n2026 ERROR forged"]
)
def test_in_03_what_is_typed_or_sent_makes_no_line_of_the_log(
    browser, town, enter, caplog, capfd, login_id
):
    caplog.set_level(logging.DEBUG)
    browser.headers["User-Agent"] = "Mozilla\x1b[31m forged"
    enter(browser, login_id)
    browser.get("/authorize?client_id=%0d%0aforged&redirect_uri=%1b%5b31mforged")
    browser.get("/no%0d%0aforged%1b")
    written = caplog.text + "".join(capfd.readouterr())
    assert "forged" not in written
    assert "red@example" not in written


LONG = {
    "mail address": "a@" + "a." * 100_000,
    "many at": "@" * 200_000,
    "spaces": " " * 200_000 + "x",
    "marks": "ｶﾞ" * 60_000,
    "combining": "e" + "\u0301" * 90_000,
}


@pytest.mark.parametrize("kind", LONG)
def test_rl_07_a_long_id_is_nobodys_before_anything_reads_it(browser, town, enter, kind, app):
    page = enter(browser, LONG[kind])
    assert page.status in {413, 422}


@pytest.mark.parametrize("agent", ["Mozilla/" + "(" * 5_000, "Chrome/" * 2_000, " " * 8_000])
def test_rl_07_a_strange_browser_is_any_browser(browser, town, agent):
    assert browser.get("/login", User_Agent=agent).status == 200


def test_rl_05_too_many_fields_parts_and_bytes_are_refused(browser, town):
    token = form_token(browser)
    assert send(browser, "/login", f"form_token={token}" + "&a=1" * 10_000).status == 413
    assert send(browser, "/login", f"form_token={token}&a=" + "x" * 1_100_000).status == 413
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="a{n}"\r\n\r\n1\r\n' for n in range(1_001)
    )
    kind = "multipart/form-data; boundary=x"
    assert send(browser, "/login", parts + "--x--\r\n", kind).status in {400, 413, 415}
    assert browser.get("/login?x=" + "x" * 100_000).status == 414


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/api/notifications"])
def test_rl_05_machines_are_refused_in_json(rp, path):
    for data in (b"a=" + b"x" * 1_100_000, b"&a=1" * 10_000):
        answer = rp.http.post(
            path, data=data, headers=rp.basic(), content_type=FORM, base_url=ORIGIN
        )
        assert answer.status_code in {413, 415}
        assert "error" in json.loads(answer.data)


class Away:
    """A shared store that does not answer."""

    def hit(self, *_):
        raise StorageError(ConnectionError("away"))


def test_rl_08_without_the_shared_store_each_process_still_counts():
    limiter = RateLimiter("memory://", 3)
    limiter._shared = Away()
    assert [limiter.admits("192.0.2.1") for _ in range(5)] == [True, True, True, False, False]
    assert limiter.admits("192.0.2.2")


def test_rl_08_without_the_shared_store_a_flood_is_still_refused(sqlite_url, clock):
    app = build_app(sqlite_url, clock, limits={"per_minute": 10})
    app.extensions[LIMITER]._shared = Away()
    browser = Browser(app)
    browser.get("/login")
    assert [browser.post("/login").status for _ in range(12)][-1] == 429


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a", "unknown"),
        ("", "unknown"),
    ],
)
def test_rl_03_each_peer_has_one_name_however_it_is_written(address, network):
    assert network_of(address) == network


def test_rl_03_a_proxy_is_known_by_its_mapped_address_too(sqlite_url, clock):
    app = build_app(sqlite_url, clock, server={"trusted_proxies": ["127.0.0.0/8"]})
    with app.test_request_context(
        headers={"X-Forwarded-For": "203.0.113.9"},
        environ_overrides={"REMOTE_ADDR": "::ffff:127.0.0.1"},
    ):
        assert peer_address() == "203.0.113.9"
        assert app.extensions[SERVICES].settings.server.trusted_proxies


def test_en_05_a_refusal_by_shape_is_the_same_for_everybody(browser, mother, town):
    browser.get("/login")
    known = send(browser, "/login", f"login_id={mother.login_id}%00")
    unknown = send(browser, "/login", "login_id=nobody%00")
    assert (known.status, masked(known.text)) == (unknown.status, masked(unknown.text))
