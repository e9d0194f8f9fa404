"""Session management: the value in the answer, the cookie beside the session, the page."""

import re

import pytest

from idp.protocol.session_state import build_session_state
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import answer_of

RP_ORIGIN = "https://rp.example"


def cookies_of(page, kind="state"):
    """Return what an answer says about one cookie of ours."""
    name = f"__Host-kid_{kind}="
    return [each for each in page.headers.getlist("Set-Cookie") if each.startswith(name)]


def fits(answer, browser, client_id="rp", origin=RP_ORIGIN):
    """Say what the page in the frame would: whether the value was made for this browser."""
    salt = answer["session_state"].partition(".")[2]
    state = browser.cookie("state") or ""
    return answer["session_state"] == build_session_state(
        client_id=client_id, origin=origin, browser_state=state, salt=salt
    )


def test_oidcc_session_management_discovery_endpoint_verification(app, world):
    document = app.test_client().get("/.well-known/openid-configuration", base_url=ORIGIN)
    assert document.get_json()["check_session_iframe"] == f"{ORIGIN}/check_session"
    assert document.get_json()["end_session_endpoint"] == f"{ORIGIN}/end_session"


def test_oidcc_session_management_rp(rp, browser, session_id):
    answer = answer_of(rp.authorize(browser))
    assert fits(answer, browser)
    hint = rp.redeem(answer["code"]).id_token
    browser.get(f"/end_session?id_token_hint={hint}")
    assert not fits(answer, browser)
    assert browser.cookie("state") is None


def test_the_value_is_another_one_each_time_and_for_each_service(rp, other, browser, session_id):
    first, second = answer_of(rp.authorize(browser)), answer_of(rp.authorize(browser))
    assert first["session_state"] != second["session_state"]
    assert fits(first, browser)
    assert fits(second, browser)
    assert not fits(first, browser, client_id="other")
    assert not fits(first, browser, origin="https://evil.example")


def test_it_goes_along_in_a_form_too(rp, browser, session_id):
    page = rp.authorize(browser, response_mode="form_post")
    assert re.search(r'name="session_state" value="[\w-]{43}\.[\w-]{43}"', page.text)


def test_an_error_has_none(rp, browser, world):
    assert "session_state" not in answer_of(rp.authorize(browser, prompt="none"))


def test_the_cookie_lives_as_long_as_the_session_would(rp, browser, session_id, later):
    cookie = cookies_of(browser.get("/account/profile"))[0]
    assert "Max-Age=3600" in cookie
    later(seconds=30)
    assert cookies_of(browser.get("/account/profile")) == []
    later(minutes=5)
    assert "Max-Age=3600" in cookies_of(browser.get("/account/profile"))[0]
    later(minutes=61)
    assert "Max-Age=0" in cookies_of(browser.get("/account/profile"))[0]


def test_near_the_end_of_the_session_it_lives_no_longer(rp, browser, session_id, later):
    for _ in range(14):
        later(minutes=50)
        page = browser.get("/account/profile")
    assert "Max-Age=1200" in cookies_of(page)[0]


def test_the_cookie_is_for_scripts_in_frames_and_says_nothing(
    rp, browser, session_id, mother, stranger
):
    (cookie,) = cookies_of(browser.get("/account/profile"))
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "SameSite=None", "Path=/"} <= parts
    assert "HttpOnly" not in parts
    value = browser.cookie("state")
    assert re.fullmatch(r"[\w-]{43}", value)
    stranger.get("/account/profile")
    assert stranger.cookie("state") not in {value, None}


def test_it_is_another_one_for_every_session_of_one_person(browser, mother, enter_session, world):
    values = set()
    for _ in range(3):
        enter_session(browser, mother)
        browser.get("/account/profile")
        values.add(browser.cookie("state"))
    assert len(values) == 3


def test_without_anybody_there_is_no_such_cookie(browser, world):
    assert cookies_of(browser.get("/login")) == []
    browser.set_cookie("state", "x" * 43)
    assert "Max-Age=0" in cookies_of(browser.get("/login"))[0]


def test_br_08_the_page_may_be_framed_by_services_and_knows_nobody(browser, session_id):
    page = browser.get("/check_session")
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"]
    assert "; script-src 'self';" in policy
    assert "frame-ancestors https:" in policy
    assert "X-Frame-Options" not in page.headers
    assert page.headers["Cache-Control"] == "public, max-age=3600"
    assert "Set-Cookie" not in page.headers
    assert 'data-cookie="__Host-kid_state"' in page.text
    assert page.forms == page.links == []


@pytest.mark.parametrize("path", ["/login", "/", "/end_session", "/logout", "/nothing"])
def test_br_08_no_other_page_may(browser, session_id, path):
    page = browser.get(path)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
