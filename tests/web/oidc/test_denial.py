"""A way to refuse on every page of a walk to a service (FAPI 2.0: user rejects authentication).

Each is a plain form, so that a browser without scripts can press its button.
"""

import pytest

from idp.db.session import transaction
from tests import factories
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
