"""A way to refuse on every page of a walk to a service (FAPI 2.0: user rejects authentication).

Each is a plain form, so that a browser without scripts can press its button.
"""

from datetime import date

import pytest

from idp.db.session import transaction
from idp.model.people import AccountStatus
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


@pytest.fixture
def newcomer(sessions, clock, town):
    """Somebody who has no password yet, and a child whose birthdate she knows."""
    with transaction(sessions) as db:
        account = factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            email="hana.mori@example.jp",
            password=None,
            status=AccountStatus.ISSUED,
            issued_at=clock(),
        )
        factories.make_household(
            db,
            now=clock(),
            municipality_id=town.id,
            representative=account,
            children=(("森 みどり", date(2024, 5, 12)),),
        )
    return account


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
    assert page.submit("/password/reset/check", **BORN).location == "/password/reset/new"


def test_fapi2_user_rejects_authentication_where_one_more_fact_is_asked(activation, browser):
    page = activation.submit("/password/reset/link").arrive()
    again = page.submit("/password/reset/check", **{**BORN, "birthdate_day": "13"})
    assert again.status == 422
    assert_error(again.submit("/cancel").arrive(), "access_denied")
    # What she began is her own: the service heard no, and she goes on without it.
    page = browser.get("/password/reset/check")
    assert not [form for form in page.forms if form.action.startswith("/cancel")]
    assert page.submit("/password/reset/check", **BORN).location == "/password/reset/new"


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
