"""The sign-in page of families: what it shows, takes, refuses, and never tells."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from idp.db.session import transaction
from idp.model.people import AccountStatus, CredentialState, Door
from tests import factories
from tests.web.applications import build_app
from tests.web.pages import Browser

WRONG = "Himawari-43-batake"


@pytest.fixture
def change(sessions):
    def run(row, **columns):
        with transaction(sessions) as db:
            found = db.get(type(row), row.id)
            for name, value in columns.items():
                setattr(found, name, value)

    return run


def masked(page):
    """Return the page without what differs between any two answers."""
    text = re.sub(r'(name="form_token" value|nonce)="[^"]*"', "", page.text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", text)
    return re.sub(r'value="[^"]*@[^"]*"', "", text)


def shape(page):
    """Return everything a stranger could compare (EN-05)."""
    cookies = sorted(
        re.sub(r"=[^;]*", "=…", value, count=1) for value in page.headers.getlist("Set-Cookie")
    )
    names = sorted(name for name, _value in page.headers)
    return page.status, page.location, names, cookies, masked(page)


def test_a19_a16_the_page_asks_for_id_and_password_and_leads_to_a_new_one(browser, town):
    page = browser.get("/login")
    assert page.status == 200
    assert "利用者向けログイン" in page.title
    assert {"login_id", "password"} <= set(page.form().names)
    assert 'autocomplete="username"' in page.text
    assert 'autocomplete="current-password"' in page.text
    assert "/password/reset" in page.links


def test_a23_b16_the_password_is_masked_and_can_be_shown(browser, town):
    page = browser.get("/login")
    assert 'id="password" name="password" type="password"' in page.text
    assert "data-password-toggle" in page.text


def test_a22_the_way_through_password_and_code_ends_at_home(browser, sign_in):
    page = sign_in(browser).arrive()
    assert (page.status, browser.cookie("session") is not None) == (200, True)
    assert browser.get("/").status == 200


def test_br_07_every_answer_to_a_right_password_is_303(browser, enter):
    assert enter(browser).status == 303


@pytest.mark.parametrize(
    "typed", ["ＭＩＳＡＫＩ．ＳＡＫＵＲＡ＠ＥＸＡＭＰＬＥ．ＪＰ", " Misaki.Sakura@example.jp "]
)
def test_a20_b15_full_width_and_capitals_are_understood(browser, enter, typed):
    assert enter(browser, typed).location.startswith("/login/code?i=")


def test_a_failed_form_is_422_and_keeps_the_id_and_never_the_password(browser, enter, mother):
    page = enter(browser, password=WRONG)
    assert page.status == 422
    assert mother.login_id in page.text
    assert WRONG not in page.text
    assert 'role="alert"' in page.text
    assert page.title.startswith("エラー")


@pytest.mark.parametrize(
    ("login_id", "password", "fields"),
    [("", "", ["login_id", "password"]), ("a", "", ["password"]), ("  ", "x", ["login_id"])],
)
def test_a19_empty_fields_are_named(browser, town, login_id, password, fields):
    page = browser.get("/login").submit(login_id=login_id, password=password)
    assert page.status == 422
    assert [f'href="#{name}"' in page.text for name in fields] == [True] * len(fields)


STATES = {
    "wrong password": {},
    "suspended": {"status": AccountStatus.SUSPENDED},
    "invited": {"status": AccountStatus.ISSUED},
    "closed": {"status": AccountStatus.CLOSED},
    "no password": {"credential_state": CredentialState.NONE},
    "staff": {"door": Door.STAFF},
}


@pytest.mark.parametrize("state", STATES)
def test_en_01_en_05_every_failure_looks_the_same(app, enter, mother, change, state):
    change(mother, **STATES[state])
    password = WRONG if state == "wrong password" else factories.PASSWORD
    hers, nobody = Browser(app), Browser(app, address="198.51.100.7")
    for _ in range(6):
        known = enter(hers, password=password)
        unknown = enter(nobody, "nobody.sakura@example.jp", password)
        assert shape(known) == shape(unknown)
    assert known.status == 429


def test_en_05_a_wrong_password_sets_the_same_cookies_for_everyone(app, enter):
    hers, nobody = Browser(app), Browser(app)
    enter(hers, password=WRONG)
    enter(nobody, "nobody@example.jp", WRONG)
    kinds = ("session", "browser", "walk", "device")
    assert [hers.cookie(kind) is None for kind in kinds] == [
        nobody.cookie(kind) is None for kind in kinds
    ]
    assert hers.cookie("session") is None


def test_b36_the_page_warns_before_the_lock_and_then_says_until_when(browser, enter, clock):
    pages = [enter(browser, password=WRONG) for _ in range(5)]
    assert ["あと" in page.text for page in pages] == [False, True, True, True, False]
    assert "あと1回まちがえると、30分間" in pages[3].text
    locked = pages[4]
    assert (locked.status, locked.headers["Retry-After"]) == (429, "1800")
    assert "10時30分" in locked.text
    walk = pages[0].form("/login").action.removeprefix("/login")
    assert {f"/password/reset{walk}", f"/login{walk}"} <= {*locked.links}


def test_b37_after_the_lock_the_person_signs_in(browser, enter, clock):
    for _ in range(5):
        enter(browser, password=WRONG)
    clock.advance(timedelta(minutes=30) - timedelta(seconds=1))
    assert enter(browser).status == 429
    clock.advance(timedelta(seconds=1))
    assert enter(browser).status == 303


def test_b39_after_two_locks_the_page_leads_with_a_new_password(browser, enter, clock):
    for _ in range(2):
        for _ in range(5):
            enter(browser, password=WRONG)
        clock.advance(timedelta(minutes=30))
    assert "パスワードを設定しなおすと" in enter(browser, password=WRONG).text


def test_rl_02_a_stranger_elsewhere_does_not_lock_the_owner_out(app, enter):
    stranger, owner = Browser(app, address="203.0.113.5"), Browser(app)
    for _ in range(8):
        assert enter(stranger, password=WRONG).status in {422, 429}
    assert enter(owner).status == 303


@pytest.mark.parametrize(
    "forged", ["198.51.100.1", "a", "x" * 10_000, "fe80::1%eth0", "1.1.1.1, 2.2.2.2"]
)
def test_rl_03_a_forged_header_does_not_give_new_tries(browser, mother, forged):
    for number in range(5):
        page = browser.get("/login")
        form = page.form()
        typed = form.fields | {"login_id": mother.login_id, "password": WRONG}
        page = browser.post(form.action, typed, X_Forwarded_For=f"{forged}{number}"[-9_000:])
        assert page.status < 500
    assert page.status == 429


def test_pw_05_a_password_of_a_megabyte_is_refused_at_once(browser, mother):
    page = browser.get("/login").submit(login_id=mother.login_id, password="x" * 1_000_000)
    assert page.status == 413


def test_pw_05_a_password_of_ten_thousand_characters_is_wrong(browser, enter):
    assert enter(browser, password="x" * 10_000).status == 422


def test_br_01_a_form_without_its_token_changes_nothing(browser, mother, mailbox):
    browser.get("/login")
    page = browser.post("/login", {"login_id": mother.login_id, "password": factories.PASSWORD})
    assert page.status == 403
    assert mailbox() == []


def test_b41_a_browser_that_keeps_no_cookies_is_told_so(app, town):
    browser = Browser(app)
    form = browser.get("/login").form()
    browser.client.delete_cookie("__Host-kid_browser", domain="id.kakuu.example.jp")
    page = browser.post(form.action, form.fields | {"login_id": "a", "password": "b"})
    assert page.status in {400, 403}
    assert "Cookie" in page.text


def test_lo_04_the_person_gets_to_the_page_she_wanted(browser, enter, newest_code):
    page = browser.get("/account/security")
    assert page.location == "/login?next=%2Faccount%2Fsecurity"
    page = enter(browser, at=page.location).arrive().submit(code=newest_code())
    assert page.location == "/account/security"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "%2f%2fevil.example",
        "data:text/html,x",
        "https://id.kakuu.example.jp.evil.example/",
        "https:evil.example",
        "/%09/evil.example",
        "https://id.kakuu.example.jp@evil.example/",
        "javascript:alert(1)",
        "/a\r\nLocation: https://evil.example",
    ],
)
def test_lo_04_no_other_address_is_ever_followed(browser, sign_in, wanted):
    end = sign_in(browser, at=f"/login?next={quote(wanted, safe='')}")
    assert end.location == "/"


def test_a_person_who_is_signed_in_is_not_asked_again(browser, sign_in):
    sign_in(browser)
    assert browser.get("/login").location == "/"


def test_se_02_an_invented_session_is_not_adopted(browser, town):
    browser.set_cookie("session", "A" * 43)
    page = browser.get("/account/security")
    assert page.location == "/login?next=%2Faccount%2Fsecurity"
    assert browser.cookie("session") is None


def test_se_03_a_session_that_ran_out_is_explained(browser, sign_in, clock):
    sign_in(browser)
    clock.advance(timedelta(minutes=60))
    page = browser.get("/account/security")
    assert "expired=1" in page.location
    page = page.follow()
    assert "しばらく操作がなかった" in page.text
    assert "/login?next=%2Faccount%2Fsecurity" in page.links


def test_se_03_using_pages_keeps_a_session_for_at_most_twelve_hours(browser, sign_in, clock):
    sign_in(browser)
    for _ in range(14):
        clock.advance(timedelta(minutes=50))
        assert browser.get("/account/security").status == 200
    clock.advance(timedelta(minutes=20))
    assert browser.get("/account/security").status == 303


def test_en_06_a_login_hint_fills_the_field_and_tells_nothing(browser, open_walk, mother):
    pages = []
    for hint in (mother.login_id, "nobody@example.jp"):
        walk = open_walk(request={"login_hint": hint})
        pages.append(browser.get(f"/login?i={walk}"))
        assert hint in pages[-1].text
    assert masked(pages[0]) == masked(pages[1])


def test_br_06_a_login_hint_is_shown_as_text(browser, open_walk, town):
    walk = open_walk(request={"login_hint": '"><script>alert(1)</script>'})
    page = browser.get(f"/login?i={walk}")
    assert "<script>alert" not in page.text


def test_b12_a_page_of_an_ended_walk_says_how_to_start_again(browser, open_walk, town):
    browser.get("/login")
    walk = open_walk()
    other = Browser(browser.client.application)
    other.get("/login")
    for path in ("/login", "/login/code", "/continue"):
        page = other.get(f"{path}?i={walk}")
        assert page.status == 400
        assert "/login" in page.links


@pytest.mark.parametrize("walk", ["", "x", "0", "%00", "00000000-0000-0000-0000-000000000000"])
def test_b12_an_invented_walk_is_no_server_error(browser, town, walk):
    for path in ("/login", "/login/code", "/continue"):
        assert browser.get(f"{path}?i={walk}").status in {400, 200}


def test_b41_a_walk_without_any_cookie_means_that_cookies_are_off(app, town, open_walk):
    walk = open_walk(at=Browser(app))
    page = Browser(app).get(f"/continue?i={walk}")
    assert page.status == 400
    assert "Cookie" in page.text


def test_the_page_is_complete_in_english(app, enter, town):
    browser = Browser(app, language="en")
    page = enter(browser, password=WRONG)
    assert page.headers["Content-Language"] == "en"
    assert "does not match" in page.text


def test_b17_staying_signed_in_is_offered_only_where_it_is_allowed(
    sqlite_url, clock, enter, browser, newest_code
):
    assert "keep_signed_in" not in browser.get("/login").form().names
    app = build_app(sqlite_url, clock, signin={"keep_days": 30})
    hers = Browser(app)
    assert "keep_signed_in" in hers.get("/login").form().names
    enter(hers, keep_signed_in="1").arrive().submit(code=newest_code())
    clock.advance(timedelta(days=29))
    assert hers.get("/account/security").status == 200


def test_b17_b18_on_a_shared_device_nobody_stays_signed_in(
    sqlite_url, clock, enter, newest_code, mother
):
    hers = Browser(build_app(sqlite_url, clock, signin={"keep_days": 30}))
    page = enter(hers, keep_signed_in="1", shared_device="1").arrive()
    page.submit(code=newest_code())
    clock.advance(timedelta(minutes=5))
    assert hers.get("/account/security").status == 303


@pytest.mark.parametrize(("language", "said"), [("ja", "7分間操作がないと"), ("en", "after 7 min")])
def test_b18_the_page_says_how_long_a_shared_device_waits(sqlite_url, clock, language, said):
    app = build_app(sqlite_url, clock, session={"shared_idle_minutes": 7})
    assert said in Browser(app, language=language).get("/login").text
