"""Ways out: cancel, sign out, sign out everywhere; and the language of the pages."""

import pytest

from idp.db.session import transaction
from idp.domain.signin import interactions
from idp.model.people import Account
from idp.model.signin import Interaction
from tests import factories
from tests.web.pages import Browser


def test_b19_signing_out_needs_a_form_and_ends_the_session(app, browser, sign_in):
    sign_in(browser)
    token = browser.cookie("session")
    page = browser.get("/logout")
    assert page.status == 200
    assert browser.get("/account/security").status == 200
    page = page.submit("/logout", decision="logout")
    assert page.location == "/signed-out"
    assert browser.cookie("session") is None
    assert "ログアウトしました" in page.follow().text
    thief = Browser(app)
    thief.set_cookie("session", token)
    assert thief.get("/account/security").status == 303


def test_b19_the_person_may_stay(browser, sign_in):
    sign_in(browser)
    page = browser.get("/logout").submit("/logout", decision="stay")
    assert page.location == "/"
    assert browser.get("/account/security").status == 200


def test_lo_06_signing_out_without_a_form_token_changes_nothing(browser, sign_in):
    sign_in(browser)
    assert browser.post("/logout", {"decision": "logout"}).status == 403
    assert browser.get("/account/security").status == 200


def test_b18_b19_a_shared_device_is_wiped_and_told_to_close_the_browser(browser, sign_in):
    sign_in(browser, shared_device="1")
    page = browser.get("/logout").submit("/logout", decision="logout")
    assert '"cookies"' in page.headers["Clear-Site-Data"]
    assert page.location == "/signed-out?shared=1"
    assert "ブラウザ" in page.follow().text


def test_b19_an_own_device_is_not_wiped(browser, sign_in):
    sign_in(browser)
    page = browser.get("/logout").submit("/logout", decision="logout")
    assert "Clear-Site-Data" not in page.headers
    assert browser.cookie("device") is not None


def test_b19_signing_out_everywhere_ends_the_sessions_of_other_browsers(
    app, browser, sign_in, clock
):
    other = Browser(app)
    sign_in(other)
    sign_in(browser)
    token = browser.get("/logout").form("/logout").fields["form_token"]
    page = browser.post("/logout/everywhere", {"form_token": token})
    assert page.location == "/signed-out"
    assert other.get("/account/security").status == 303


def test_signing_out_twice_is_harmless(browser, town):
    assert browser.get("/logout").location == "/signed-out"


def test_a_client_is_told_when_the_person_cancels(sessions, clock, browser, open_walk, town):
    browser.get("/login")
    with transaction(sessions) as db:
        client = factories.make_client(db, now=clock(), municipality_id=town.id)
    walk = open_walk(purpose=interactions.AUTHORIZE, client_id=client.id)
    page = browser.get(f"/login?i={walk}")
    assert "一時あずかり予約" in page.text
    page = page.submit("/cancel")
    assert page.location == f"/continue?i={walk}"
    with transaction(sessions) as db:
        assert db.get(Interaction, walk).denied_at == clock()


def test_without_a_service_there_is_nothing_to_cancel(browser, town):
    assert "/cancel" not in browser.get("/login").text


@pytest.mark.parametrize("tag", ["en", "ja"])
def test_a_language_is_kept_in_the_browser(browser, town, tag):
    page = browser.get(f"/language?to={tag}&next=/login")
    assert page.location == "/login"
    assert page.follow().headers["Content-Language"] == tag


@pytest.mark.parametrize("tag", ["", "xx", "../../etc", "<script>"])
def test_az_13_an_unknown_language_is_ignored(browser, town, tag):
    assert browser.get(f"/language?to={tag}").status == 303
    assert browser.cookie("language") is None


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_lo_04_the_language_switch_leads_to_our_own_pages_only(browser, town, wanted):
    assert browser.get(f"/language?to=en&next={wanted}").location == "/"


def test_the_language_of_mails_is_changed_by_a_form_and_not_by_a_link(
    sessions, browser, sign_in, mother
):
    sign_in(browser)
    browser.get("/language?to=en")
    with transaction(sessions) as db:
        assert db.get(Account, mother.id).locale == "ja"
    token = browser.get("/logout").form("/logout").fields["form_token"]
    browser.post("/language", {"form_token": token, "to": "en", "next": "/"})
    with transaction(sessions) as db:
        assert db.get(Account, mother.id).locale == "en"
