"""Forms come from our own pages, and looking changes nothing."""

import pytest

from idp.web.guards import GuardKind
from tests.security.support import fill, form_routes, form_token, role_of, routes, rows
from tests.web.applications import ORIGIN
from tests.web.pages import Browser

#: What a request from elsewhere carries although the token is right.
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": f"{ORIGIN}.evil.example"},
    {"Origin": ORIGIN.replace("https", "http")},
    {"Origin": ORIGIN, "Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
]
#: Rows that a look may write: when a session was last used, who looked at whom, and how many
#: refusals were written down.
TRACES = ("browser_session", "audit_event", "failure_count")
#: Looking at these starts a walk for the browser; nothing of a person changes.
STARTS = {"/authorize"}


def test_br_01_a_form_without_its_own_token_is_refused_everywhere(app, roles, sessions):
    stranger = form_token(Browser(app, address="198.51.100.7"))
    tokens = {name: form_token(browser) for name, browser in roles.items()}
    before = rows(sessions, without=TRACES)
    for path in form_routes(app):
        browser = roles[role_of(path)]
        others = tokens["proxy" if role_of(path) == "family" else "family"]
        for wrong in ({}, {"form_token": ""}, {"form_token": stranger}, {"form_token": others}):
            assert browser.post(path, wrong).status == 403, (path, wrong)
        in_the_address = browser.post(f"{path}?form_token={form_token(browser)}")
        assert in_the_address.status == 403, path
    assert rows(sessions, without=TRACES) == before


def test_br_01_a_token_from_before_the_sign_in_is_refused_after_it(app, sign_in, here):
    from idp.model.people import Door

    browser = sign_in(here.guardian, Door.FAMILY)
    session = browser.cookie("session")
    browser.set_cookie("session", "nobody")
    before = form_token(browser)
    browser.set_cookie("session", session)
    assert browser.post("/account/sessions/end", {"form_token": before}).status == 403


def test_br_01_every_address_that_takes_a_form_without_a_token_is_known(app):
    free = {rule for rule, kind in routes(app, "POST") if kind is GuardKind.CROSS_SITE}
    assert free == {"/authorize", "/end_session"}
    machines = {rule for rule, kind in routes(app, "POST") if kind is GuardKind.CLIENT}
    assert machines == {
        "/token",
        "/revoke",
        "/introspect",
        "/userinfo",
        "/par",
        "/register",
        "/device_authorization",
        "/api/notifications",
    }


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_br_03_a_form_from_another_origin_is_refused_with_the_right_token(
    app, roles, sessions, headers
):
    tokens = {name: form_token(browser) for name, browser in roles.items()}
    before = rows(sessions, without=TRACES)
    for path in form_routes(app):
        name = role_of(path)
        page = roles[name].post(path, {"form_token": tokens[name]}, **headers)
        assert page.status == 403, path
    assert rows(sessions, without=TRACES) == before


def test_br_03_the_same_form_from_our_own_page_comes_through(roles):
    browser = roles["family"]
    fields = {"form_token": form_token(browser), "to": "en"}
    page = browser.post("/language", fields, Origin=ORIGIN, Sec_Fetch_Site="same-origin")
    assert page.status == 303


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_br_02_looking_changes_nothing(app, roles, sessions, here, method):
    for browser in roles.values():
        for rule, _kind in routes(app, "GET"):
            before = rows(sessions, without=TRACES)
            page = browser._open(method, fill(rule, here), headers={})
            assert page.status < 500, (rule, page.text)
            changed = {
                name
                for name, found in rows(sessions, without=TRACES).items()
                if found != before[name]
            }
            assert changed <= ({"interaction"} if rule in STARTS else set()), (rule, changed)


def test_br_02_looking_leaves_everybody_signed_in(app, roles, here):
    for rule, _kind in routes(app, "GET"):
        for browser in roles.values():
            browser.get(fill(rule, here))
    assert roles["family"].get("/account/profile").status == 200
    assert roles["clerk"].get("/staff/").status == 200
    assert roles["administrator"].get("/admin/clients").status == 200


def test_br_07_no_form_is_answered_with_a_redirect_that_repeats_it(app, roles):
    for path in form_routes(app):
        browser = roles[role_of(path)]
        page = browser.post(path, {"form_token": form_token(browser)})
        assert page.status not in {301, 302, 307, 308}, (path, page.status)
        assert page.status < 500, (path, page.text)
