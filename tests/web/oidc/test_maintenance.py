"""While we are closed people read until when, services hear it, and keys stay readable."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from idp.db.session import transaction
from idp.domain.upkeep.audit import SYSTEM
from idp.domain.upkeep.maintenance import (
    FRESH_FOR,
    Plan,
    end_maintenance,
    known_windows,
    plan_maintenance,
)
from idp.web.maintenance import ALWAYS_OPEN, SAYS_IT_ITSELF
from tests.security.support import fill
from tests.web.applications import ORIGIN, build_app
from tests.web.oidc.conftest import answer_of
from tests.web.pages import Browser

START = timedelta(hours=2)
LENGTH = timedelta(hours=5)
NOTE = "予約の締切にご注意ください。"
TIMES = "2026年4月1日（水）12時00分から2026年4月1日（水）17時00分まで"


@pytest.fixture
def app(database_url, clock):
    """The provider on both databases."""
    return build_app(database_url, clock)


@pytest.fixture
def planned(sessions, services, clock, world):
    """Maintenance from noon to five; the morning's pages know of it."""
    start = clock() + START
    plan = Plan(start, start + LENGTH, start - timedelta(days=7), NOTE, "Mind the deadlines.")
    with transaction(sessions) as db:
        return plan_maintenance(db, plan, actor=SYSTEM, now=clock())


@pytest.fixture
def closed(planned, clock):
    clock.advance(START)
    return planned


def test_b43_every_page_announces_it_beforehand(browser, rp, planned):
    for path in ("/login", "/help/phishing", "/password/reset", "/staff/login"):
        page = browser.get(path)
        assert page.status == 200
        assert f"{TIMES}、システムの手入れのため使えません。 {NOTE}" in page.text, path
    assert "手入れのお知らせ" in rp.authorize(browser).text


def test_b43_it_is_announced_in_the_language_of_the_page(app, planned):
    page = Browser(app, language="en").get("/login")
    times = "Wednesday 1 April 2026, 12:00 to Wednesday 1 April 2026, 17:00"
    assert f"unavailable from {times} for maintenance. Mind the deadlines." in page.text


def test_b43_nothing_is_announced_without_a_plan_nor_long_before(browser, planned, sessions, clock):
    with transaction(sessions) as db:
        assert end_maintenance(db, planned, actor=SYSTEM, now=clock())
        start = clock() + timedelta(days=30)
        plan = Plan(start, start + LENGTH, start - timedelta(days=7))
        plan_maintenance(db, plan, actor=SYSTEM, now=clock())
    assert "手入れのお知らせ" not in browser.get("/login").text


def test_b43_while_it_runs_a_page_says_until_when(browser, closed, clock):
    clock.advance(timedelta(minutes=30))
    page = browser.get("/login")
    assert (page.status, page.headers["Retry-After"]) == (503, "16200")
    assert "2026年4月1日（水）17時00分から、また使えます。" in page.text
    assert f"{TIMES}、システムの手入れのため使えません。 {NOTE}" in page.text
    assert "0000-12-3456" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_b43_every_route_but_the_listed_ones_is_closed(app, browser, closed):
    for rule in app.url_map.iter_rules():
        if rule.endpoint in ALWAYS_OPEN | SAYS_IT_ITSELF | {"static"}:
            continue
        for method in sorted(rule.methods - {"OPTIONS"}):
            page = browser._open(method, fill(rule.rule), headers={})
            assert (page.status, page.headers["Retry-After"]) == (503, "18000"), rule
            if app.view_functions[rule.endpoint].guard.kind == "client" and method != "HEAD":
                assert page.response.get_json() == {"error": "temporarily_unavailable"}, rule


def test_b43_machines_hear_it_in_json(rp, closed):
    answer = rp.redeem("whatever")
    assert answer.error == (503, "temporarily_unavailable")
    assert answer.response.headers["Retry-After"] == "18000"
    assert answer.response.headers["Cache-Control"] == "no-store"


def test_b43_a_service_hears_it_at_its_own_address(rp, browser, closed):
    answer = answer_of(rp.authorize(browser))
    assert answer["error"] == "temporarily_unavailable"
    assert answer["error_description"] == "The provider is closed for maintenance."
    assert (answer["state"], answer["iss"]) == ("st-1", ORIGIN)
    assert "code" not in answer


def test_b43_a_signed_in_person_gets_no_code_either(rp, browser, enter_session, mother, closed):
    enter_session(browser, mother)
    answer = answer_of(rp.authorize(browser, prompt="none"))
    assert answer["error"] == "temporarily_unavailable"


def test_b43_az_01_az_02_nobody_is_sent_to_a_foreign_address(rp, browser, closed):
    for changes in ({"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"}):
        page = rp.authorize(browser, **changes)
        assert (page.status, page.location) == (400, None)
    assert answer_of(rp.authorize(browser, scope="profile"))["error"] == "invalid_scope"


def test_b43_a_posted_request_is_answered_like_one_in_the_address(rp, browser, closed):
    page = browser.post("/authorize", rp.params()).arrive()
    assert answer_of(page)["error"] == "temporarily_unavailable"


def test_b43_keys_and_metadata_stay_readable(browser, closed):
    for path in (
        "/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/check_session",
        "/health/live",
    ):
        assert browser.get(path).status == 200, path
    assert browser.get("/jwks").response.get_json()["keys"]
    style = browser.client.get("/static/kosodate.css", base_url=ORIGIN, buffered=True)
    assert style.status_code == 200


def test_b43_the_page_can_be_read_in_the_other_language(browser, closed):
    page = browser.get("/language?to=en&next=/login")
    assert page.location == "/login"
    assert "You can use it again from Wednesday 1 April 2026, 17:00." in page.follow().text


def test_b43_a_proxy_keeps_sending_people_to_the_page(browser, planned, clock):
    assert browser.get("/health/ready").response.get_json() == {"status": "ready"}
    clock.advance(START)
    page = browser.get("/health/ready")
    assert (page.status, page.response.get_json()) == (200, {"status": "maintenance"})


def test_b43_at_its_end_everything_is_as_before(browser, rp, mother, enter_session, closed, clock):
    session = Browser(browser.client.application)
    assert browser.get("/login").status == 503
    clock.advance(LENGTH)
    enter_session(session, mother)
    assert browser.get("/login").status == 200
    assert session.get("/account/profile").status == 200
    assert "手入れのお知らせ" not in browser.get("/login").text
    assert rp.redeem("whatever").error == (400, "invalid_grant")


def test_b43_ended_early_it_is_over_at_once_here(browser, sessions, clock, closed):
    assert browser.get("/login").status == 503
    with transaction(sessions) as db:
        end_maintenance(db, closed, actor=SYSTEM, now=clock())
    assert browser.get("/login").status == 200


def test_b43_with_the_database_stopped_for_it_the_page_still_says_so(
    browser, rp, services, sessions, clock, closed, monkeypatch
):
    assert browser.get("/login").status == 503
    assert browser.get("/jwks").status == 200
    assert len(known_windows(sessions, now=clock())) == 1

    def gone(*_arguments, **_options):
        raise OperationalError("SELECT", {}, Exception("gone"))

    with browser.client.application.app_context():
        engine = browser.client.application.extensions["sqlalchemy"].engine
    monkeypatch.setattr(engine, "connect", gone)
    engine.dispose()
    clock.advance(FRESH_FOR)
    page = browser.get("/login")
    assert (page.status, page.headers["Retry-After"]) == (503, str(18000 - 15))
    assert TIMES in page.text
    for path in ("/jwks", "/health/live", "/health/ready"):
        assert browser.get(path).status == 200, path
    # Without the database no service's address can be checked: the person reads it here.
    page = rp.authorize(browser)
    assert page.status == 503
    assert TIMES in page.text
