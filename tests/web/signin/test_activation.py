"""The first password: one more fact, five tries, then the office."""

from datetime import date, timedelta

import pytest

from idp.db.session import transaction
from idp.domain.people.accounts import change_address
from idp.domain.staff.control import lift_locks
from idp.model.people import Account, AccountStatus, CredentialState
from idp.model.upkeep import AuditEvent
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.pages import Browser

NEW = "Tsukimi-77-dango"
WRONG = {"application_number": "R8-99999"}


@pytest.fixture
def open_link(newcomer, mailbox, clock):
    """Ask for the mail, open its link, press the button; return the page of the fact."""

    def run(browser):
        clock.advance(timedelta(minutes=1))
        browser.get("/password/reset").submit(email=newcomer.email, email_confirm=newcomer.email)
        path = mailbox("password_link")[-1][1]["url"].removeprefix(ORIGIN)
        return browser.get(path).follow().submit().arrive()

    return run


def told(year="2024", month="5", day="12"):
    return {"birthdate_year": year, "birthdate_month": month, "birthdate_day": day}


def choose(page, password=NEW):
    return page.arrive().submit(new_password=password, confirm_password=password)


def read(sessions, account):
    with transaction(sessions) as db:
        return db.get(Account, account.id)


def test_a06_there_is_no_password_before_the_first_one_is_set(browser, newcomer, enter):
    page = enter(browser, newcomer.login_id)
    assert page.status == 422
    assert "/help/first-time" in page.links


def test_a06_a07_the_first_password_activates_the_account(
    sessions, browser, newcomer, open_link, mailbox, sign_in, clock
):
    page = open_link(browser)
    assert mailbox("password_link")[0][1]["is_activation"] is True
    assert page.title.startswith("ご家庭の方か確かめます")
    page = page.submit(**told())
    assert page.location == "/password/reset/new"
    assert choose(page).location == "/password/reset/done"
    account = read(sessions, newcomer)
    assert account.status is AccountStatus.ACTIVE
    assert account.credential_state is CredentialState.SET
    assert account.activated_at == account.email_verified_at == clock()
    with transaction(sessions) as db:
        names = {event.name for event in db.query(AuditEvent)}
    assert {"account.activated", "password.set"} <= names
    assert sign_in(browser, login_id=newcomer.login_id, password=NEW).arrive().status == 200


def test_b09_an_address_counts_as_verified_only_after_its_owner_has_used_what_was_mailed(
    sessions, browser, newcomer, open_link, sign_in, clock
):
    assert read(sessions, newcomer).email_verified_at is None
    page = open_link(browser)
    assert read(sessions, newcomer).email_verified_at is None
    choose(page.submit(**told()))
    assert read(sessions, newcomer).email_verified_at == clock()
    clock.advance(timedelta(hours=1))
    with transaction(sessions) as db:
        change_address(db, newcomer.id, "hana@moved.example.jp", now=clock())
    assert read(sessions, newcomer).email_verified_at is None
    # The code of the next sign-in goes to the new mailbox: whoever types it has read it there.
    assert sign_in(browser, login_id="hana@moved.example.jp", password=NEW).arrive().status == 200
    assert read(sessions, newcomer).email_verified_at == clock()


@pytest.mark.parametrize(
    "fact",
    [
        told(),
        told("２０２４", "０５", "１２"),
        told("令和6"),
        told("R6", "05", "12"),
        told("令和６年", "5月", "12日"),
        {"application_number": "R8-00042"},
        {"application_number": "ｒ８－０００４２"},
        {"application_number": " r8 - 00042 "},
        {"application_number": "r8ー00042"},
        {"application_number": "Ｒ８\u2212０００４２"},
        {"application_number": "R800042"},
        {"application_number": "R8-99999"} | told(),
        {"application_number": "R8-00042"} | told("2020", "1", "1"),
    ],
)
def test_a07_the_fact_is_understood_as_people_write_it(browser, open_link, fact):
    assert open_link(browser).submit(**fact).location == "/password/reset/new"


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ({}, "どちらかを入れてください"),
        (told("2024", "", ""), "年・月・日をすべて"),
        (told("2024", "13", "1"), "年・月・日をすべて"),
        (told("平成40", "2", "30"), "年・月・日をすべて"),
        (told("きのう", "5", "12"), "年・月・日をすべて"),
        (told("2024" * 500, "5", "12"), "年・月・日をすべて"),
    ],
)
def test_a07_what_is_no_fact_costs_no_try(browser, open_link, fact, said):
    page = open_link(browser)
    for _ in range(6):
        page = page.submit(**fact)
        assert page.status == 422
        assert said in page.text
    assert page.submit(**told()).status == 303


def test_a07_wrong_facts_are_counted_down(browser, open_link):
    page = open_link(browser)
    for left in (4, 3, 2, 1):
        page = page.submit(**WRONG)
        assert page.status == 422
        assert "登録の内容と合いません" in page.text
        assert f"あと{left}回" in page.text
        assert page.form("/password").fields["application_number"] == "R8-99999"
    assert page.submit(**told()).location == "/password/reset/new"


def test_a07_b25_the_fifth_wrong_fact_leads_to_the_counter(sessions, browser, newcomer, open_link):
    page = open_link(browser)
    for _ in range(5):
        page = page.submit(**WRONG)
    assert page.status == 403
    assert "窓口で確かめます" in page.title
    assert "こども課" in page.text
    account = read(sessions, newcomer)
    assert account.activation_stopped_at is not None
    assert account.status is AccountStatus.ISSUED
    # A new mail opens nothing more: the tries belong to the person.
    page = open_link(browser)
    assert "窓口で確かめます" in page.title
    assert page.status == 403


def test_a07_the_tries_are_the_persons_across_links_and_browsers(app, browser, open_link):
    page = open_link(browser)
    for _ in range(3):
        page = page.submit(**WRONG)
    other = Browser(app, address="203.0.113.5")
    page = open_link(other).submit(**WRONG)
    assert "あと1回" in page.text
    assert "窓口で確かめます" in page.submit(**WRONG).title


def test_a07_b27_the_counter_opens_it_again(sessions, clock, browser, newcomer, open_link):
    page = open_link(browser)
    for _ in range(5):
        page = page.submit(**WRONG)
    with transaction(sessions) as db:
        lift_locks(db, newcomer.id, now=clock())
    assert open_link(browser).submit(**told()).location == "/password/reset/new"


def test_rs_06_the_fact_cannot_be_jumped_over(sessions, browser, newcomer, open_link):
    page = open_link(browser)
    token = page.form("/password").fields["form_token"]
    assert browser.get("/password/reset/new").location == "/password/reset/check"
    fields = {"form_token": token, "new_password": NEW, "confirm_password": NEW}
    assert browser.post("/password/reset/new", fields).location == "/password/reset/check"
    assert read(sessions, newcomer).credential_state is CredentialState.NONE


def test_a07_another_familys_fact_is_wrong(sessions, clock, town, browser, open_link):
    with transaction(sessions) as db:
        factories.make_household(
            db,
            now=clock(),
            municipality_id=town.id,
            children=(("南 そら", date(2023, 1, 9)),),
            application_number="R8-00777",
        )
    page = open_link(browser)
    assert page.submit(**told("2023", "1", "9")).status == 422
    assert page.submit(application_number="R8-00777").status == 422


def test_a07_a_municipality_may_leave_the_fact_out(sessions, town, browser, open_link):
    with transaction(sessions) as db:
        db.merge(town).asks_activation_fact = False
    page = open_link(browser)
    assert "パスワードリセット" in page.title
    assert choose(page).status == 303


@pytest.mark.parametrize(("days", "minutes", "status"), [(6, 1439, 303), (7, 0, 400)])
def test_a13_the_first_link_lives_seven_days(
    browser, newcomer, mailbox, clock, days, minutes, status
):
    browser.get("/password/reset").submit(email=newcomer.email, email_confirm=newcomer.email)
    path = mailbox("password_link")[-1][1]["url"].removeprefix(ORIGIN)
    page = browser.get(path).follow()
    clock.advance(timedelta(days=days, minutes=minutes))
    assert page.submit().status == status


def test_a13_the_first_code_lives_seven_days(browser, newcomer, mailbox, clock):
    page = browser.get("/password/reset").submit(email=newcomer.email, email_confirm=newcomer.email)
    page = page.follow()
    clock.advance(timedelta(days=7) - timedelta(seconds=1))
    (mail,) = mailbox("password_link")
    assert mail[1]["days"] == 7
    page = browser.get("/login").submit("/login", login_id="x", password="y")
    form = browser.get("/password/reset/sent")
    assert form.submit(code=mail[1]["code"]).location.startswith("/password/reset/new")


def test_rs_13_nobody_but_the_family_ever_has_the_first_secret(
    sessions, browser, newcomer, open_link, mailbox
):
    """The notice holds no secret, the link is random and used up, the password is her own."""
    assert mailbox("password_link") == []
    page = open_link(browser)
    first = mailbox("password_link")[0][1]
    assert len(first["url"].partition("t=")[2]) == 43
    assert choose(page.submit(**told())).status == 303
    assert (
        Browser(browser.client.application).get(first["url"].removeprefix(ORIGIN)).arrive().status
        == 400
    )


def test_a07_b44_the_first_password_is_none_of_the_familys_dates(browser, open_link):
    page = open_link(browser).submit(**told()).arrive()
    page = choose(page, "Midori20240512")
    assert page.status == 422
    assert "当てられやすい" in page.text


def test_a07_the_error_stands_at_the_field_that_was_filled_in(browser, open_link):
    page = open_link(browser).submit(**told("2020", "1", "1"))
    assert 'href="#birthdate"' in page.text
    page = page.submit(application_number="R8-1", **told("", "", ""))
    assert 'href="#application_number"' in page.text
