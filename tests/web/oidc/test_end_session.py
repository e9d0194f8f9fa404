"""RP-initiated logout over HTTP."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select

from idp.base.url import with_query
from idp.model.upkeep import AuditEvent, OutboxMessage
from tests.protocol.test_authorize import NEAR_MISSES

BYE = "https://rp.example/"


def end(browser, **params):
    return browser.get(with_query("/end_session", params))


def is_signed_in(rp, browser):
    return "code=" in (rp.authorize(browser, prompt="none").location or "")


def test_a_logout_with_the_sessions_own_hint_goes_back_with_the_state(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="x" * 128)
    assert page.status == 303
    assert page.location.startswith(BYE)
    assert parse_qs(urlsplit(page.location).query) == {"state": ["x" * 128]}
    assert not is_signed_in(rp, browser)


def test_without_a_state_nothing_is_added(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert page.location == BYE


def test_lo_05_the_services_are_told_by_back_channel(rp, browser, session_id, sessions):
    hint = rp.sign_in(browser).id_token
    end(browser, id_token_hint=hint)
    with sessions() as db:
        queued = db.scalars(select(OutboxMessage)).all()
        assert [(each.name, each.client_id) for each in queued] == [("backchannel_logout", "rp")]
        assert db.scalars(select(AuditEvent).where(AuditEvent.name == "signout")).one()


@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_lo_01_a_near_miss_is_not_followed(rp, browser, session_id, miss):
    hint = rp.sign_in(browser).id_token
    uri = miss.replace("rp.test", "rp.example").replace("/cb", "")
    if uri == BYE:
        return
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=uri)
    assert (page.status, page.location) == (400, None)
    assert is_signed_in(rp, browser)


def test_lo_01_without_a_hint_nobody_is_sent_anywhere(rp, browser, session_id):
    page = end(browser, client_id="rp", post_logout_redirect_uri=BYE, state="s")
    assert page.status == 200
    assert page.location is None
    done = page.submit("/end_session", decision="logout")
    assert done.location.startswith("/signed-out")


@pytest.mark.parametrize("params", [{}, {"state": "s"}, {"client_id": "rp"}])
def test_lo_02_a_bare_link_only_asks(rp, browser, session_id, params):
    page = end(browser, **params)
    assert page.status == 200
    assert page.form("/end_session")
    assert is_signed_in(rp, browser)


def test_lo_02_whoever_is_signed_out_already_is_told_so(rp, browser):
    assert end(browser).location.startswith("/signed-out")


def test_lo_03_an_expired_hint_is_still_a_hint(rp, browser, session_id, later):
    hint = rp.sign_in(browser).id_token
    later(minutes=50)
    assert end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE).location == BYE


def _tampered(tokens):
    head, body, signature = tokens.id_token.split(".")
    return f"{head}.{body}.{'A' * len(signature)}"


@pytest.mark.parametrize(
    "spoil",
    [
        _tampered,
        lambda tokens: tokens.access_token,
        lambda tokens: "eyJhbGciOiJub25lIn0." + tokens.id_token.split(".")[1] + ".",
        lambda tokens: "x",
    ],
)
def test_lo_03_anything_else_is_shown_and_ends_nothing(rp, browser, session_id, spoil):
    hint = spoil(rp.sign_in(browser))
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert (page.status, page.location) == (400, None)
    assert is_signed_in(rp, browser)


def test_lo_03_hint_and_client_have_to_agree(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, client_id="other", post_logout_redirect_uri=BYE)
    assert (page.status, page.location) == (400, None)
    assert end(browser, client_id="nobody").status == 400


def test_lo_06_without_a_form_token_nothing_ends(rp, browser, session_id):
    page = end(browser)
    refused = browser.post(page.form("/end_session").action, {"decision": "logout"})
    assert refused.status in (400, 403)
    assert is_signed_in(rp, browser)


def test_lo_07_the_hint_of_somebody_else_only_asks(rp, browser, session_id, stranger):
    hint = rp.sign_in(stranger).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert page.status == 200
    assert page.location is None
    assert is_signed_in(rp, browser)


def test_lo_07_after_the_person_said_so_she_goes_where_the_service_wanted(
    rp, browser, session_id, stranger
):
    hint = rp.sign_in(stranger).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s")
    done = page.submit("/end_session", decision="logout")
    assert done.location == BYE + "?state=s"
    assert not is_signed_in(rp, browser)


def test_whoever_wants_to_stay_stays(rp, browser, session_id):
    page = end(browser).submit("/end_session", decision="stay")
    assert page.location == "/"
    assert is_signed_in(rp, browser)


def test_a_ticket_of_somebody_elses_making_leads_to_our_own_page(rp, browser, session_id):
    page = end(browser)
    form = page.form("/end_session")
    for ticket in ("", "x", "AAAA" * 20, "日本"):
        action = with_query("/end_session/confirm", {"ticket": ticket})
        done = browser.post(action, form.fields | {"decision": "logout"})
        if done.status == 303:
            assert done.location.startswith("/signed-out")


def test_a_post_works_like_a_get(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    form = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "s"}
    page = browser.post("/end_session", form, Origin="https://rp.example")
    assert page.follow().location == BYE + "?state=s"


def test_a_parameter_twice_ends_nothing(rp, browser, session_id):
    query = urlencode({"client_id": "rp"}) + "&state=a&state=b"
    assert browser.get(f"/end_session?{query}").status == 400
    assert is_signed_in(rp, browser)


def test_the_cookie_is_cleared(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    end(browser, id_token_hint=hint)
    assert browser.cookie("session") is None


def test_a_shared_device_is_cleared_of_everything(rp, browser, mother, enter_session, world):
    enter_session(browser, mother, shared_device=True)
    hint = rp.sign_in(browser).id_token
    page = end(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert page.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
