"""Signing in, as a person does it on the pages."""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.signin import interactions
from tests import factories


@pytest.fixture
def enter(mother):
    """Type id and password on the sign-in page."""

    def run(browser, login_id=None, password=factories.PASSWORD, *, at="/login", **typed):
        page = browser.get(at)
        return page.submit(login_id=login_id or mother.login_id, password=password, **typed)

    return run


@pytest.fixture
def newest_code(mailbox):
    return lambda: mailbox("login_code")[-1][1]["code"]


@pytest.fixture
def sign_in(enter, newest_code, clock):
    """Sign in with password and code; return the page that comes of it, redirects not followed."""

    def run(browser, *, code=None, code_form=None, **changes):
        clock.advance(timedelta(seconds=1))  # the newest mail is told by its time
        page = enter(browser, **changes).arrive()
        assert page.form().action.startswith("/login/code"), page
        return page.submit(code=code or newest_code(), **(code_form or {}))

    return run


@pytest.fixture
def open_walk(sessions, clock, browser):
    """Open a walk in the browser, as the authorization endpoint does; return its id."""

    def run(at=browser, **columns):
        facts = {"purpose": interactions.HOME} | columns
        with transaction(sessions) as db:
            opened = interactions.open_interaction(
                db,
                interactions.NewInteraction(**facts),
                browser_token=at.cookie("walk"),
                now=clock(),
            )
        at.set_cookie("walk", opened.browser_token)
        return opened.id

    return run
