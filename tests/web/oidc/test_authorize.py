"""The authorization endpoint over HTTP."""

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.grants.client_registry import disable_client
from idp.domain.upkeep.audit import SYSTEM
from idp.model.people import Account, AccountStatus
from tests.protocol.test_authorize import NEAR_MISSES
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK, answer_of

OTHER_ERRORS = [
    {"response_type": "token"},
    {"scope": "profile"},
    {"scope": "openid nothing"},
    {"code_challenge": "x"},
    {"prompt": "none"},
    {"claims": "{"},
    {},
]


def assert_shown(page):
    """EP: an error page of ours, going nowhere."""
    assert page.status == 400
    assert page.location is None
    assert page.headers["Cache-Control"] == "no-store"
    assert "text/html" in page.headers["Content-Type"]
    # Request data may stand there escaped (the language links keep it), but leads nowhere.
    assert all(link.startswith(("/", "tel:", "#")) for link in page.links)
    assert all(form.action.startswith("/") for form in page.forms)


def assert_error(page, error, *, state="st-1"):
    """ER: back to the service with an error, the state and our name, and no code."""
    answer = answer_of(page)
    assert answer["error"] == error
    assert answer["iss"] == ORIGIN
    assert answer.get("state") == state
    assert "code" not in answer
    assert answer["error_description"].isascii()


def test_a22_a_signed_in_person_is_sent_back_with_a_code(rp, browser, session_id):
    answer = answer_of(rp.authorize(browser))
    assert set(answer) == {"code", "state", "session_state", "iss"}
    assert (answer["state"], answer["iss"]) == ("st-1", ORIGIN)
    assert len(answer["code"]) >= 43


def test_az_01_an_unknown_client_is_never_redirected(rp, browser):
    page = rp.authorize(browser, client_id="nobody", redirect_uri="https://evil.example/")
    assert_shown(page)


@pytest.mark.parametrize("changes", OTHER_ERRORS)
def test_az_02_the_redirect_uri_is_looked_at_before_any_other_error(rp, browser, changes):
    page = rp.authorize(browser, redirect_uri="https://evil.example/", **changes)
    assert_shown(page)


@pytest.mark.parametrize("uri", NEAR_MISSES)
def test_az_03_near_misses_are_shown(rp, browser, uri):
    near = uri.replace("rp.test", "rp.example").replace("/cb", "/callback")
    page = browser.get(with_query("/authorize", rp.params(redirect_uri=near)))
    assert page.status in (400, 404)
    assert page.location is None


def test_az_04_a_missing_redirect_uri_is_shown(rp, browser):
    assert_shown(rp.authorize(browser, redirect_uri=None))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_az_05_two_clients_or_addresses_are_shown(rp, browser, name):
    query = urlencode(rp.params()) + f"&{name}=https%3A%2F%2Fevil.example%2F"
    assert_shown(browser.get(f"/authorize?{query}"))


@pytest.mark.parametrize("name", ["scope", "response_type", "code_challenge", "nonce"])
def test_az_05_anything_else_twice_is_reported_to_the_service(rp, browser, name):
    query = urlencode(rp.params()) + f"&{name}=x"
    assert_error(browser.get(f"/authorize?{query}"), "invalid_request")


def test_az_05_of_two_states_none_is_sent_back(rp, browser):
    query = urlencode(rp.params()) + "&state=other"
    assert_error(browser.get(f"/authorize?{query}"), "invalid_request", state=None)


@pytest.mark.parametrize("response_type", ["token", "id_token", "code token", "none", "code code"])
def test_az_06_other_flows_are_refused(rp, browser, response_type):
    assert_error(rp.authorize(browser, response_type=response_type), "unsupported_response_type")


def test_az_06_a_missing_response_type_is_reported(rp, browser):
    assert_error(rp.authorize(browser, response_type=None), "invalid_request")


@pytest.mark.parametrize("mode", ["fragment", "web_message", "fragment.jwt", "bogus"])
def test_az_07_an_unknown_mode_is_reported_by_query(rp, browser, mode):
    assert_error(rp.authorize(browser, response_mode=mode), "invalid_request")


def test_az_07_a_form_post_is_escaped_and_goes_to_the_registered_address(rp, browser, session_id):
    state = "st&a\"te <x>'/é😀"
    page = rp.authorize(browser, response_mode="form_post", state=state)
    assert page.status == 200
    assert page.location is None
    form = page.form(CALLBACK)
    assert form.action == CALLBACK
    assert form.fields["state"] == state
    assert form.fields["iss"] == ORIGIN
    assert form.fields["code"]
    assert html.escape(state) not in page.headers.get("Content-Security-Policy", "")
    assert page.headers["Cache-Control"] == "no-store"
    assert "onload" not in page.text
    assert re.search(r'<script nonce="[^"]+">', page.text)
    assert rp.redeem(form.fields["code"]).status == 200


def test_az_07_errors_come_by_form_post_too(rp, browser):
    page = rp.authorize(browser, response_mode="form_post", prompt="none")
    fields = page.form(CALLBACK).fields
    assert (fields["error"], fields["state"]) == ("login_required", "st-1")


def test_az_09_a_long_state_with_everything_in_it_comes_back_whole(rp, browser, session_id):
    state = ('<>"&%😀' + "x" * 100) * 38
    assert answer_of(rp.authorize(browser, state=state))["state"] == state


def test_az_09_a_state_beyond_the_limit_is_refused(rp, browser):
    assert_error(rp.authorize(browser, state="x" * 4097), "invalid_request", state=None)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PATCH"])
def test_az_10_other_methods_are_refused(rp, browser, method):
    page = browser._open(method, with_query("/authorize", rp.params()), headers={})
    assert page.status == 405
    assert {"GET", "POST"} <= set(page.headers["Allow"].split(", "))


def test_az_10_a_post_works_like_a_get(rp, browser, session_id):
    page = browser.post("/authorize", rp.params(), Origin="https://rp.example")
    assert page.status == 303
    assert set(answer_of(page.arrive())) == {"code", "state", "session_state", "iss"}


def test_az_10_a_post_that_is_no_form_is_shown(rp, browser):
    page = browser.post("/authorize?client_id=rp", rp.params())
    assert_shown(page)


def test_az_11_prompt_login_asks_again_although_somebody_is_signed_in(rp, browser, session_id):
    page = rp.authorize(browser, prompt="login")
    assert page.status == 200
    assert any(form.action.startswith("/login") for form in page.forms)


def test_az_11_going_on_by_hand_does_not_skip_it(rp, browser, session_id):
    first = browser.get(with_query("/authorize", rp.params(prompt="login")))
    for _ in range(2):
        page = browser.get(first.location).arrive()
        assert page.status == 200


@pytest.mark.parametrize(
    ("max_age", "seconds", "asks"), [("1", 2, True), ("0", 0, True), ("60", 2, False)]
)
def test_az_11_max_age_is_enforced(rp, browser, session_id, later, max_age, seconds, asks):
    later(seconds=seconds)
    page = rp.authorize(browser, max_age=max_age)
    assert (page.status == 200) == asks


def test_az_12_prompt_none_never_shows_a_page(rp, browser):
    assert_error(rp.authorize(browser, prompt="none"), "login_required")


def test_az_12_prompt_none_with_consent_missing(other, browser, session_id):
    assert_error(other.authorize(browser, prompt="none"), "consent_required")


def test_az_12_prompt_none_for_a_person_who_was_stopped(rp, browser, session_id, sessions, mother):
    with transaction(sessions) as db:
        stop = update(Account).where(Account.id == mother.id)
        db.execute(stop.values(status=AccountStatus.SUSPENDED))
    assert_error(rp.authorize(browser, prompt="none"), "login_required")


def test_az_12_prompt_none_succeeds_in_silence(rp, browser, session_id):
    assert "code" in answer_of(rp.authorize(browser, prompt="none"))


def test_az_13_none_beside_another_value_is_malformed(rp, browser):
    assert_error(rp.authorize(browser, prompt="none login"), "invalid_request")


def test_az_13_strange_wishes_are_ignored(rp, browser, session_id):
    strange = {"display": "<script>", "ui_locales": "../../etc", "prompt": "create"}
    assert "code" in answer_of(rp.authorize(browser, **strange))


def test_the_language_a_service_asks_for_is_spoken_unless_the_person_chose_one(rp, browser):
    rp.authorize(browser, ui_locales="se en ja")
    assert browser.cookie("language") == "en"
    rp.authorize(browser, ui_locales="ja")
    assert browser.cookie("language") == "en"


def test_an_unknown_parameter_is_ignored(rp, browser, session_id):
    assert "code" in answer_of(rp.authorize(browser, extra="foobar"))


@pytest.mark.parametrize(
    "scope", ["openid nothing", "openid assurance", 'openid "', "profile", None]
)
def test_az_14_scopes_are_checked(rp, browser, scope):
    assert_error(rp.authorize(browser, scope=scope), "invalid_scope")


def test_az_16_a_disabled_client_is_shown(rp, browser, sessions, clock):
    with transaction(sessions) as db:
        disable_client(db, "rp", actor=SYSTEM, now=clock())
    assert_shown(rp.authorize(browser))


def test_az_17_no_other_origin_may_read_the_authorization_endpoint(rp, browser):
    for method in ("OPTIONS", "GET"):
        page = browser._open(
            method,
            with_query("/authorize", rp.params()),
            headers={"Origin": "https://rp.example", "Access-Control-Request-Method": "GET"},
        )
        assert not [name for name in dict(page.headers) if name.startswith("Access-Control")]


@pytest.mark.parametrize("changes", [{"code_challenge": None}, {"code_challenge_method": "plain"}])
@pytest.mark.parametrize("service", ["rp", "spa"])
def test_pk_01_to_pk_03_no_code_is_made_without_s256(
    request, browser, session_id, service, changes
):
    found = request.getfixturevalue(service)
    assert_error(found.authorize(browser, scope="openid", **changes), "invalid_request")


def test_sr_01_what_a_client_has_not_registered_for_is_not_supported(rp, browser):
    for uri in ("https://evil.example/r", "http://169.254.169.254/"):
        assert_error(rp.authorize(browser, request_uri=uri), "request_uri_not_supported")
    assert_error(rp.authorize(browser, request="a.b.c"), "request_not_supported")


def test_br_07_the_way_back_is_303(rp, browser, session_id):
    page = browser.get(with_query("/authorize", rp.params()))
    assert page.location.startswith(CALLBACK)
    assert page.status == 303


def test_the_hint_of_the_person_signed_in_goes_through(rp, browser, session_id):
    tokens = rp.sign_in(browser)
    page = rp.authorize(browser, prompt="none", id_token_hint=tokens.id_token)
    assert "code" in answer_of(page)


def test_the_hint_of_another_person_does_not(rp, browser, session_id, stranger):
    tokens = rp.sign_in(stranger)
    page = rp.authorize(browser, prompt="none", id_token_hint=tokens.id_token)
    assert_error(page, "login_required")
    assert rp.authorize(browser, id_token_hint=tokens.id_token).status == 200


@pytest.mark.parametrize("hint", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_jw_01_a_hint_that_is_no_token_of_ours_is_refused(rp, browser, session_id, hint):
    assert_error(rp.authorize(browser, id_token_hint=hint), "invalid_request")


def test_jw_07_an_access_token_or_another_clients_id_token_is_no_hint(
    rp, other, browser, session_id
):
    tokens = rp.sign_in(browser)
    assert_error(rp.authorize(browser, id_token_hint=tokens.access_token), "invalid_request")
    assert_error(other.authorize(browser, id_token_hint=tokens.id_token), "invalid_request")


def test_a_strength_that_was_insisted_on_is_reached_or_refused(rp, browser, session_id):
    claims = '{"id_token":{"acr":{"essential":true,"values":["phr"]}}}'
    page = rp.authorize(browser, claims=claims, prompt="none")
    assert_error(page, "unmet_authentication_requirements")
    claims = claims.replace("phr", "urn:kosodate:acr:pwd")
    assert "code" in answer_of(rp.authorize(browser, claims=claims, prompt="none"))


def test_a_walk_is_answered_once(rp, browser, mother, enter_session):
    first = browser.get(with_query("/authorize", rp.params()))
    enter_session(browser, mother)
    onward = first.location.replace("/login", "/continue")
    assert "code" in answer_of(browser.get(onward))
    again = browser.get(onward)
    assert again.status == 400
    assert again.location is None


def test_a_walk_belongs_to_its_browser(rp, browser, stranger):
    first = browser.get(with_query("/authorize", rp.params()))
    assert stranger.get(first.location).status == 400


def test_a_walk_ends_after_an_hour(rp, browser, mother, enter_session, clock):
    first = browser.get(with_query("/authorize", rp.params()))
    enter_session(browser, mother)
    clock.advance(timedelta(minutes=60))
    for address in (first.location, first.location.replace("/login", "/continue")):
        page = browser.get(address)
        assert (page.status, page.location) == (400, None)
