"""A way to refuse on every page of a walk to a service (FAPI 2.0: user rejects authentication).

Each is a plain form, so that a browser without scripts can press its button.
"""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.fapi import OTHER_KEY, make_service
from tests.web.oidc.test_authorize import assert_error


def cancel(page):
    """Press the button that leaves the walk."""
    assert page.status == 200, page
    return page.submit("/cancel").arrive()


def test_fapi2_user_rejects_authentication_on_the_sign_in_page(
    app, world, sessions, clock, browser
):
    for client_id, key in (("fapi", None), ("fapi-2", OTHER_KEY)):
        extra = {} if key is None else {"key": key}
        service = make_service(app, sessions, clock, client_id, **extra)
        assert_error(cancel(service.authorize(browser)), "access_denied")


@pytest.mark.parametrize("path", ["/password/reset"])
def test_fapi2_user_rejects_authentication_while_asking_for_a_password(rp, browser, path):
    rp.authorize(browser)
    assert_error(cancel(browser.get(path)), "access_denied")


def test_fapi2_user_rejects_authentication_while_a_mail_is_waited_for(rp, browser, mother):
    rp.authorize(browser)
    address = {"email": mother.email, "email_confirm": mother.email}
    page = browser.get("/password/reset").submit("/password/reset", **address).arrive()
    assert_error(cancel(page), "access_denied")


def leaves_for(page, place):
    """Return where the page's link of that address leads."""
    return next(link for link in page.links if link.partition("?")[0] == place)


@pytest.mark.parametrize("steps", [0, 1], ids=["the request", "the mail that is waited for"])
def test_the_way_out_of_a_reset_is_that_of_the_sign_in_it_began_in(
    rp, browser, mother, clock, steps
):
    first = rp.authorize(browser, state="first")
    page = browser.get(leaves_for(first, "/password/reset"))
    clock.advance(timedelta(seconds=1))
    rp.authorize(browser, state="second")
    if steps:
        address = {"email": mother.email, "email_confirm": mother.email}
        page = page.submit("/password/reset", **address).arrive()
    assert_error(cancel(page), "access_denied", state="first")


def test_fapi2_user_rejects_authentication_where_the_first_step_is_locked(rp, browser, mother):
    page = rp.authorize(browser)
    for _ in range(5):
        page = page.submit("/login", login_id=mother.login_id, password="Himawari-43-batake")
    assert page.status == 429
    assert leaves_for(page, "/password/reset") != "/password/reset"
    assert_error(page.submit("/cancel").arrive(), "access_denied")


def test_fapi2_user_rejects_authentication_where_codes_are_paused(rp, browser, mother, clock):
    page = rp.authorize(browser)
    page = page.submit("/login", login_id=mother.login_id, password=factories.PASSWORD).arrive()
    for _ in range(2):
        clock.advance(timedelta(seconds=31))
        page = page.submit("/login/code", resend="1")
        for _ in range(5):
            page = page.submit("/login/code", code="000000")
    assert page.status == 429
    assert_error(page.submit("/cancel").arrive(), "access_denied")


def test_br_01_a_way_out_that_names_no_sign_in_ends_none(rp, browser):
    page = rp.authorize(browser)
    assert browser.post("/cancel", page.form("/cancel").fields).status == 400
    assert_error(page.submit("/cancel").arrive(), "access_denied")


@pytest.fixture
def activation(rp, browser, newcomer, mailbox):
    """Come from a service, ask for the first password, open the link: one more fact is asked."""
    rp.authorize(browser)
    address = {"email": newcomer.email, "email_confirm": newcomer.email}
    browser.get("/password/reset").submit("/password/reset", **address)
    link = mailbox("password_link")[-1][1]["url"].removeprefix(ORIGIN)
    return browser.get(link).arrive()


BORN = {"birthdate_year": "2024", "birthdate_month": "5", "birthdate_day": "12"}


def test_fapi2_user_rejects_authentication_before_the_first_link_is_used_up(activation, browser):
    assert_error(cancel(activation), "access_denied")
    page = browser.get("/password/reset/link").submit("/password/reset/link").arrive()
    assert page.submit("/password/reset/check", **BORN).location.startswith("/password/reset/new")


def test_fapi2_user_rejects_authentication_where_one_more_fact_is_asked(activation, browser):
    page = activation.submit("/password/reset/link").arrive()
    again = page.submit("/password/reset/check", **{**BORN, "birthdate_day": "13"})
    assert again.status == 422
    assert_error(again.submit("/cancel").arrive(), "access_denied")
    # What she began is her own: the service heard no, and she goes on without it.
    page = browser.get("/password/reset/check")
    assert not [form for form in page.forms if form.action.startswith("/cancel")]
    assert page.submit("/password/reset/check", **BORN).location.startswith("/password/reset/new")


def test_fapi2_user_rejects_authentication_where_the_first_password_is_chosen(activation, browser):
    page = activation.submit("/password/reset/link").arrive()
    page = page.submit("/password/reset/check", **BORN).arrive()
    assert_error(cancel(page), "access_denied")
    assert browser.get("/password/reset/new").status == 200


def test_a07_fapi2_user_rejects_authentication_after_the_fifth_wrong_fact(activation):
    page = activation.submit("/password/reset/link").arrive()
    for _ in range(5):
        page = page.submit("/password/reset/check", **{**BORN, "birthdate_day": "13"})
    assert page.status == 403
    assert_error(page.submit("/cancel").arrive(), "access_denied")


def test_a_second_press_ends_nothing_else(activation, browser):
    page = activation.submit("/password/reset/link").arrive()
    assert_error(cancel(page), "access_denied")
    again = page.submit("/cancel")
    assert (again.status, again.location) == (400, None)
    assert browser.get("/password/reset/check").status == 200


def test_fapi2_user_rejects_authentication_where_she_says_for_whom_she_acts(
    rp, browser, sessions, clock, town, mother, session_id
):
    with transaction(sessions) as db:
        for _ in range(2):
            home = factories.make_household(
                db,
                now=clock(),
                municipality_id=town.id,
                representative=factories.make_account(db, now=clock(), municipality_id=town.id),
            )
            factories.make_member(
                db,
                household_id=home.id,
                account=mother,
                now=clock(),
                role=factories.MembershipRole.PROXY,
            )
    first = rp.authorize(browser, prompt="login")
    walk = next(form.action for form in first.forms if form.action.startswith("/cancel"))
    page = browser.get("/acting-for" + walk.removeprefix("/cancel"))
    assert_error(cancel(page), "access_denied")


def test_fapi2_user_rejects_authentication_at_the_consent(other, browser, session_id):
    page = other.authorize(browser)
    assert page.status == 200
    page = page.submit("/consent", decision="deny").arrive()
    assert_error(page, "access_denied")


def test_who_comes_without_a_service_has_nothing_to_refuse(browser, world):
    for path in ("/login", "/password/reset"):
        page = browser.get(path).arrive()
        assert not [form for form in page.forms if form.action.startswith("/cancel")]
