"""The home page: services, what waits, documents; who sees it, and what it never shows."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from idp.base.ids import new_id
from idp.db.session import transaction
from idp.model.clients import Client, ClientStatus
from idp.model.people import Account, Door
from idp.model.upkeep import PendingNotice
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.pages import Browser


@pytest.fixture
def wait_for(sessions, clock):
    def run(client, household, count, code="certificate"):
        with transaction(sessions) as db:
            db.add(
                PendingNotice(
                    id=new_id(now=clock()),
                    client_id=client.id,
                    household_id=household.id,
                    code=code,
                    count=count,
                    updated_at=clock(),
                )
            )

    return run


def test_a22_nobody_is_sent_to_sign_in(browser, town):
    page = browser.get("/")
    assert (page.status, page.location) == (303, "/login")


def test_a22_staff_is_sent_to_its_own_pages(browser, sessions, clock, town, enter_session):
    with transaction(sessions) as db:
        clerk = factories.make_staff(db, now=clock(), municipality_id=town.id)
    enter_session(browser, clerk, door=Door.STAFF)
    assert browser.get("/").location == "/staff/"


def test_a22_home_is_what_a_sign_in_ends_at(hers):
    page = hers.get("/")
    assert page.status == 200
    assert "ホーム画面" in page.title
    assert {"/account/profile", "/account/household", "/account/security"} <= set(page.links)


def test_b21_a_tile_starts_a_sign_in_at_the_service(hers, service):
    service()
    page = hers.get("/")
    assert f"https://rp.example/start?iss={quote(ORIGIN, safe='')}" in page.links
    assert "1時間から予約します。" in page.text


def test_b21_the_menu_is_that_of_ones_own_municipality(hers, service, sessions, clock):
    with transaction(sessions) as db:
        elsewhere = factories.make_municipality(db, now=clock())
    service("となり町の予約", of=elsewhere)
    stopped = service("とめられた予約")
    with transaction(sessions) as db:
        db.get(Client, stopped.id).status = ClientStatus.DISABLED
    service("みんなの相談", of=None)
    page = hers.get("/")
    assert "みんなの相談" in page.text
    assert "となり町の予約" not in page.text
    assert "とめられた予約" not in page.text


def test_b21_without_services_the_page_says_what_comes_next(hers):
    assert "使えるサービスは、まだありません。" in hers.get("/").text


def test_a31_b60_what_waits_at_a_service_is_shown_first(hers, his, service, household, wait_for):
    client = service("認定証")
    wait_for(client, household, 2)
    wait_for(client, household, 1, code="renewal")
    for browser in (hers, his):
        assert "認定証 に確認の必要なお知らせが3件あります" in browser.get("/").text


def test_b60_what_waits_for_another_household_is_not_shown(
    hers, service, sessions, clock, town, wait_for
):
    with transaction(sessions) as db:
        other = factories.make_household(db, now=clock(), municipality_id=town.id)
    wait_for(service(), other, 4)
    assert "確認の必要な" not in hers.get("/").text


def test_b47_home_shows_neither_address_nor_telephone(hers, sessions, mother):
    with transaction(sessions) as db:
        row = db.get(Account, mother.id)
        row.phone_number = "+819012345678"
        row.street_address = "架空町1-2-3"
    text = hers.get("/").text
    assert mother.email not in text
    assert "12345678" not in text
    assert "架空町1-2-3" not in text


@pytest.mark.parametrize(
    "path",
    ["/", "/account/security", "/account/consents", "/account/household", "/account/profile"],
)
def test_lo_05_b49_private_pages_are_never_kept_and_gone_after_signing_out(hers, path):
    token = hers.cookie("session")
    page = hers.get(path)
    assert page.status == 200
    assert "no-store" in page.headers["Cache-Control"]
    page.submit("/logout")
    hers.set_cookie("session", token)
    again = hers.get(path)
    assert again.status == 303
    assert again.location.startswith("/login")


@pytest.mark.parametrize("path", ["/", "/account/security", "/account/profile"])
def test_b19_every_page_has_the_way_out(hers, path):
    assert any(form.action == "/logout" for form in hers.get(path).forms)


def test_b49_addresses_of_pages_name_nobody(hers, mother):
    links = " ".join(hers.get("/").links + hers.get("/account/household").links)
    assert "@" not in links
    assert mother.given_name not in links


def test_a22_an_idle_session_ends_and_says_so(hers, clock):
    clock.advance(timedelta(minutes=61))
    assert hers.get("/").location == "/login?expired=1"


def test_every_page_is_complete_in_english(app, mother, household, enter_session):
    browser = Browser(app, language="en")
    enter_session(browser, mother)
    browser.get("/language?to=en")
    for path in ("/", "/account/security", "/account/consents", "/account/household"):
        assert browser.get(path).headers["Content-Language"] == "en"


def test_a22_b19_the_home_page_signs_out_everywhere(app, hers, mother, enter_session):
    other = Browser(app)
    enter_session(other, mother)
    page = hers.get("/").submit("/logout/everywhere")
    assert page.location == "/signed-out"
    assert hers.get("/").location == "/login"
    assert other.get("/account/security").status == 303
