"""The warning before a session ends by itself, in the real browser with its clock moved on."""

import pytest
from sqlalchemy.orm import sessionmaker

from idp.base.clock import utc_now
from idp.db.session import transaction
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.people import Door
from tests import factories
from tests.chromium import PHONE, find_barriers, open_context
from tests.serving import Port, serving
from tests.web.applications import build_app

pytestmark = pytest.mark.browser


@pytest.fixture
def ours(sqlite_url):
    """The provider, and the cookie of somebody signed in."""
    port = Port()
    app = build_app(sqlite_url, utc_now, provider={"issuer": port.origin}, dev={"allow_http": True})
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    with transaction(sessionmaker(engine, expire_on_commit=False)) as db:
        now = utc_now()
        town = factories.make_municipality(db, now=now)
        mother = factories.make_account(db, now=now, municipality_id=town.id)
        wanted = NewSession(
            account_id=mother.id,
            door=Door.FAMILY,
            acr="urn:kosodate:acr:pwd-emailotp",
            amr=("pwd", "otp"),
            device_label="Chrome",
            limits=SessionLimits(),
        )
        started = start_session(db, wanted, now=now)
    with serving(app, port) as origin:
        yield origin, started.token
    engine.dispose()


@pytest.fixture
def page(ours, chromium):
    origin, token = ours
    with open_context(chromium, viewport=PHONE) as context:
        context.add_cookies([{"name": "kid_session", "value": token, "url": origin}])
        page = context.new_page()
        page.clock.install()
        page.goto(f"{origin}/account/language")
        yield page


def warning(page):
    return page.locator(".idle [data-idle-part=soon]")


def test_b47_two_minutes_before_the_end_the_page_says_so_and_one_press_goes_on(page):
    page.clock.fast_forward("57:30")
    assert not warning(page).is_visible()
    page.clock.fast_forward("00:45")
    assert warning(page).is_visible()
    assert "あと2分ほどで" in warning(page).inner_text()
    assert find_barriers(page) == []
    with page.expect_response("**/session/keep") as answered:
        page.get_by_role("button", name="続ける").click()
    assert answered.value.json()["seconds_left"] > 3000
    warning(page).wait_for(state="hidden")
    page.clock.fast_forward("30:00")
    assert not warning(page).is_visible()


def test_at_the_end_the_page_says_that_it_is_over(page):
    page.clock.fast_forward("58:30")
    assert warning(page).is_visible()
    page.clock.fast_forward("01:45")
    over = page.locator(".idle [data-idle-part=over]")
    assert over.is_visible()
    assert not warning(page).is_visible()
    assert find_barriers(page) == []


def test_a_tab_that_is_used_quietens_the_others(page, ours):
    page.clock.fast_forward("50:00")
    other = page.context.new_page()
    other.goto(f"{ours[0]}/account/profile")
    page.clock.fast_forward("09:00")
    assert not warning(page).is_visible()
    page.clock.fast_forward("49:30")
    assert warning(page).is_visible()
    assert warning(other).is_visible()
