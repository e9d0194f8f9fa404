"""Front-channel logout: services sign the person out in frames of a page of ours."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.base.url import with_query
from idp.db.session import transaction
from idp.model.upkeep import OutboxMessage
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK, SECRET, Service, secret_row

BYE = "https://rp.example/"
FRAME = "https://rp.example/frontchannel?tenant=a%20b"


@pytest.fixture
def framed(app, sessions, clock, town, world):
    """A service that registered both ways of being told."""
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id="framed",
            municipality_id=town.id,
            sector="municipality:990001",
            details={
                "scope": "openid profile",
                "frontchannel_logout_uri": FRAME,
                "backchannel_logout_uri": "https://rp.example/backchannel",
            },
        )
        db.add(secret_row("framed", SECRET, now=clock()))
    return Service(app, "framed")


def frames_on(page):
    return [html.unescape(each) for each in re.findall(r"<iframe src=\"([^\"]+)\"", page.text)]


def goes_on_to(page):
    """Return the one address that the page leads to, by link and by refresh alike."""
    link = re.search(r"id=\"go-on\" href=\"([^\"]*)\"", page.text)[1]
    refresh = re.search(
        r"<noscript><meta http-equiv=\"refresh\" content=\"1;url=([^\"]*)\">", page.text
    )
    assert refresh[1] == link
    return html.unescape(link)


def end(browser, **params):
    return browser.get(with_query("/end_session", params))


def sign_out_by_request(browser, hint):
    return end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s t&<é")


def test_oidcc_frontchannel_rp_initiated_logout(framed, browser, session_id):
    tokens = framed.sign_in(browser)
    page = sign_out_by_request(browser, tokens.id_token)
    assert page.status == 200
    (frame,) = frames_on(page)
    address, query = frame.partition("?")[::2]
    assert address == "https://rp.example/frontchannel"
    assert query.startswith("tenant=a%20b&")
    assert parse_qs(query) == {
        "tenant": ["a b"],
        "iss": [ORIGIN],
        "sid": [tokens.claims()["sid"]],
    }
    target = urlsplit(goes_on_to(page))
    assert target._replace(query="").geturl() == BYE
    assert parse_qs(target.query) == {"state": ["s t&<é"]}
    refused = framed.authorize(browser, prompt="none")
    assert "error=login_required" in refused.location


def test_oidcc_frontchannel_logout_discovery_endpoint_verification(app, world):
    document = app.test_client().get("/.well-known/openid-configuration", base_url=ORIGIN)
    facts = document.get_json()
    assert facts["frontchannel_logout_supported"] is True
    assert facts["frontchannel_logout_session_supported"] is True
    assert facts["end_session_endpoint"] == f"{ORIGIN}/end_session"


def test_the_page_may_frame_the_services_and_nothing_else(framed, browser, session_id):
    page = sign_out_by_request(browser, framed.sign_in(browser).id_token)
    policy = page.headers["Content-Security-Policy"]
    assert "frame-src https://rp.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "frame-src 'none'" in browser.get("/login").headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_a_service_that_wants_both_ways_is_told_both_ways(framed, browser, session_id, sessions):
    sign_out_by_request(browser, framed.sign_in(browser).id_token)
    with sessions() as db:
        queued = db.query(OutboxMessage).all()
        assert [(each.name, each.client_id) for each in queued] == [
            ("backchannel_logout", "framed")
        ]


def test_every_service_of_the_session_gets_its_own_sid(
    app, framed, rp, browser, session_id, sessions, clock, town
):
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id="second",
            municipality_id=town.id,
            details={
                "scope": "openid profile",
                "redirect_uris": [CALLBACK, "https://two.example/callback"],
                "frontchannel_logout_uri": "https://two.example/bye",
            },
        )
        db.add(secret_row("second", SECRET, now=clock()))
    first, second = framed.sign_in(browser), Service(app, "second").sign_in(browser)
    page = sign_out_by_request(browser, rp.sign_in(browser).id_token)
    sids = [parse_qs(urlsplit(each).query)["sid"][0] for each in frames_on(page)]
    assert sids == [first.claims()["sid"], second.claims()["sid"]]
    assert len(set(sids)) == 2
    assert (
        "frame-src https://rp.example https://two.example;"
        in (page.headers["Content-Security-Policy"])
    )


@pytest.mark.parametrize("path", ["/logout", "/logout/everywhere"])
def test_b19_our_own_sign_out_tells_them_too(framed, browser, session_id, path):
    framed.sign_in(browser)
    form = browser.get("/logout").form("/logout")
    page = browser.post(path, form.fields | {"decision": "logout"})
    assert len(frames_on(page)) == 1
    assert goes_on_to(page) == "/signed-out"
    assert browser.cookie("session") is None
    assert browser.get(goes_on_to(page)).status == 200


def test_after_the_confirmation_page_the_services_are_told_too(framed, browser, session_id):
    framed.sign_in(browser)
    done = end(browser).submit("/end_session", decision="logout")
    assert len(frames_on(done)) == 1
    assert goes_on_to(done) == "/signed-out"


def test_a_reload_finds_nobody_and_goes_on(framed, browser, session_id):
    hint = framed.sign_in(browser).id_token
    sign_out_by_request(browser, hint)
    again = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s")
    assert (again.status, again.location) == (303, BYE + "?state=s")


def test_without_such_a_service_there_is_no_such_page(rp, browser, session_id):
    page = sign_out_by_request(browser, rp.sign_in(browser).id_token)
    assert page.status == 303


def test_a_shared_device_is_cleared_on_the_way(framed, browser, mother, enter_session, world):
    enter_session(browser, mother, shared_device=True)
    page = sign_out_by_request(browser, framed.sign_in(browser).id_token)
    assert page.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert len(frames_on(page)) == 1
