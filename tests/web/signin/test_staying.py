"""The warning before a session ends by itself, and going on (WCAG 2.2.1, SE-03)."""

import re
from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.people import Door
from tests import factories


@pytest.fixture
def enter(sessions, clock, mother, town, browser):
    """Sign the mother in without the pages, on a device of her own or a shared one."""

    def run(**changes):
        wanted = NewSession(
            account_id=mother.id,
            door=Door.FAMILY,
            acr="urn:kosodate:acr:pwd-emailotp",
            amr=("pwd", "otp"),
            device_label="Firefox",
            limits=SessionLimits(),
            **changes,
        )
        with transaction(sessions) as db:
            factories.make_household(
                db, now=clock(), municipality_id=town.id, representative=mother
            )
            started = start_session(db, wanted, now=clock())
        browser.set_cookie("session", started.token)
        return browser

    return run


def idle_of(page):
    """Return what the page tells its script: seconds left, seconds before that it warns."""
    found = re.search(r'data-idle="(-?\d+)" data-idle-warn="(\d+)"', page.text)
    return found and tuple(map(int, found.groups()))


def keep(browser, page):
    return browser.post("/session/keep", page.form("/session/keep").fields)


def test_b47_a_page_knows_when_the_session_ends_and_says_it_without_scripts(enter):
    page = enter().get("/account/profile")
    assert idle_of(page) == (3600, 120)
    assert "60分のあいだ使わないと" in re.search(r"<noscript>(.*?)</noscript>", page.text)[1]


def test_on_a_shared_device_the_time_is_short(enter):
    assert idle_of(enter(shared_device=True).get("/account/profile")) == (300, 120)


def test_going_on_counts_as_use(enter, clock):
    browser = enter()
    page = browser.get("/account/profile")
    clock.advance(timedelta(minutes=59))
    answer = keep(browser, page)
    assert answer.status == 200
    assert answer.response.get_json() == {"seconds_left": 3600}
    clock.advance(timedelta(minutes=59))
    assert browser.get("/account/profile").status == 200


def test_after_the_end_nothing_is_kept(enter, clock):
    browser = enter()
    page = browser.get("/account/profile")
    clock.advance(timedelta(minutes=60))
    assert keep(browser, page).status == 403
    assert browser.get("/account/profile").status == 303


def test_br_01_without_the_form_token_nothing_is_kept(enter, clock):
    browser = enter()
    browser.get("/account/profile")
    assert browser.post("/session/keep").status == 403


def test_near_the_longest_life_no_button_promises_more(enter, clock):
    browser = enter()
    for _ in range(13):
        clock.advance(timedelta(minutes=50))
        page = browser.get("/account/profile")
    clock.advance(timedelta(minutes=30))
    page = browser.get("/account/profile")
    assert idle_of(page) == (40 * 60, 120)
    assert "ログインできる時間の上限です" in page.text
    assert not [form for form in page.forms if form.action == "/session/keep"]


@pytest.mark.parametrize("path", ["/login", "/help/mail", "/nothing"])
def test_nobody_signed_in_nothing_to_warn_of(browser, town, path):
    page = browser.get(path)
    assert idle_of(page) is None
    assert "idle.js" not in page.text


def test_whoever_has_signed_out_is_warned_of_nothing(enter):
    browser = enter()
    page = browser.get("/logout").submit("/logout", decision="logout")
    assert idle_of(page.follow()) is None
