"""The staff door: password and app, always; and no way from one door to the other."""

from datetime import timedelta

import pytest
from pyotp import TOTP

from idp.db.session import transaction
from idp.model.households import SecondStep
from idp.model.people import Door
from tests import factories
from tests.web.pages import Browser

WRONG = "Himawari-43-batake"


@pytest.fixture
def officer(sessions, clock, town, hasher, keys):
    with transaction(sessions) as db:
        return factories.make_staff(
            db,
            now=clock(),
            municipality_id=town.id,
            email="ichiro.fukushi@kakuu.example.jp",
            hasher=hasher,
            keys=keys,
        )


@pytest.fixture
def enter_staff(officer):
    def run(browser, login_id=None, password=factories.PASSWORD):
        page = browser.get("/staff/login")
        return page.submit(login_id=login_id or officer.login_id, password=password)

    return run


def app_code(moment):
    return TOTP(factories.TOTP_SEED).at(moment)


def test_a08_staff_sign_in_with_password_and_app(browser, enter_staff, clock, mailbox):
    page = enter_staff(browser).arrive()
    assert page.form().action.startswith("/staff/login/code?i=")
    page = page.submit(code=app_code(clock()))
    assert page.location == "/staff/"
    assert mailbox("login_code") == []


def test_a08_the_code_is_asked_whatever_the_municipality_lets_families_choose(
    sessions, browser, enter_staff, town
):
    with transaction(sessions) as db:
        row = db.get(type(town), town.id)
        row.second_step, row.trusted_device_days = SecondStep.USER_CHOICE, 30
    page = enter_staff(browser).arrive()
    assert page.form().action.startswith("/staff/login/code?i=")
    assert "trust_device" not in page.form().names
    assert "shared_device" not in browser.get("/staff/login").form().names


def test_a08_en_01_each_door_refuses_the_people_of_the_other_as_anybody(
    app, enter_staff, enter, mother, officer
):
    at_staff = [
        enter_staff(Browser(app), login_id) for login_id in (mother.login_id, "nobody@example.jp")
    ]
    at_family = [enter(Browser(app), login_id) for login_id in (officer.login_id, "nobody@a.jp")]
    assert [page.status for page in (*at_staff, *at_family)] == [422] * 4
    for one, other in (at_staff, at_family):
        assert one.title == other.title
        assert ("違うようです" in one.text, "違うようです" in other.text) == (True, True)


def test_se_05_a_family_session_does_not_open_the_console_nor_the_other_way_round(
    browser, sign_in, app, enter_staff, clock
):
    sign_in(browser)
    assert browser.get("/staff/login").status == 200
    at_console = Browser(app)
    enter_staff(at_console).arrive().submit(code=app_code(clock()))
    assert at_console.cookie("session") is not None
    page = at_console.get("/account/security")
    assert page.location.startswith("/login")


def test_ot_06_a_code_of_the_app_signs_in_once(app, enter_staff, clock):
    one, two = enter_staff(Browser(app)).arrive(), enter_staff(Browser(app)).arrive()
    code = app_code(clock())
    assert one.submit(code=code).status == 303
    assert two.submit(code=code).status == 422


def test_ot_03_ten_wrong_codes_pause_the_app_across_browsers(app, enter_staff, clock):
    for number in range(10):
        page = enter_staff(Browser(app)).arrive()
        page = page.submit(code="000000" if app_code(clock()) != "000000" else "000001")
        assert page.status == (429 if number == 9 else 422)
    assert page.headers["Retry-After"] == "600"
    again = enter_staff(Browser(app)).arrive()
    assert again.submit(code=app_code(clock())).status == 429
    clock.advance(timedelta(minutes=10))
    assert again.submit(code=app_code(clock())).status == 303


def test_b36_five_wrong_passwords_lock_the_staff_door_too(browser, enter_staff):
    for _ in range(4):
        assert enter_staff(browser, password=WRONG).status == 422
    page = enter_staff(browser, password=WRONG)
    assert page.status == 429
    assert "10時30分" in page.text


def test_ot_13_a_family_walk_is_no_staff_walk(browser, open_walk, town):
    browser.get("/login")
    walk = open_walk()
    assert browser.get(f"/staff/login?i={walk}").status == 400
    assert browser.get(f"/staff/login/code?i={walk}").status == 400


def test_se_03_the_console_idles_a_quarter_of_an_hour(browser, enter_staff, clock):
    enter_staff(browser).arrive().submit(code=app_code(clock()))
    clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
    assert browser.get("/staff/login").location == "/staff/"
    clock.advance(timedelta(minutes=16))
    assert browser.get("/staff/login").status == 200


def test_b19_staff_sign_out_to_their_own_door(browser, enter_staff, clock):
    enter_staff(browser).arrive().submit(code=app_code(clock()))
    page = browser.get("/logout").submit("/logout", decision="logout")
    assert page.location == "/signed-out?door=staff"
    assert "/staff/login" in page.follow().links


def test_a08_a_staff_account_without_an_app_is_refused_like_anybody(
    sessions, clock, town, hasher, browser, enter_staff
):
    with transaction(sessions) as db:
        row = factories.make_account(
            db, now=clock(), municipality_id=town.id, door=Door.STAFF, hasher=hasher
        )
    assert enter_staff(browser, row.login_id).status == 422
