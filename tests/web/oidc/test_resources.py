"""Resource indicators: for which services an access token is (RFC 8707)."""

from urllib.parse import urlencode

import pytest

from idp.base.url import with_query
from idp.db.session import transaction
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import SECRET, Service, answer_of, secret_row
from tests.web.oidc.test_authorize import assert_error

CALENDAR = "https://calendar.example/api"
LETTERS = "https://letters.example/api"
SCOPE = "openid profile offline_access"


def make(app, sessions, clock, client_id, **details):
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id=client_id,
            sector="municipality:990001",
            details={"scope": SCOPE} | details,
        )
        db.add(secret_row(client_id, SECRET, now=clock()))
    return Service(app, client_id)


@pytest.fixture
def caller(app, world, sessions, clock):
    """A service that may ask tokens for two others."""
    grants = ["authorization_code", "refresh_token", "client_credentials"]
    resources = [CALENDAR, LETTERS]
    return make(app, sessions, clock, "caller", kosodate_resources=resources, grant_types=grants)


@pytest.fixture
def calendar(app, world, sessions, clock):
    """One of those others."""
    return make(app, sessions, clock, "calendar", kosodate_audiences=[CALENDAR])


def go(service, browser, **changes):
    """Send the browser here; a list stands as several parameters."""
    query = urlencode(service.params(**changes), doseq=True)
    return browser.get(f"/authorize?{query}").arrive()


def audience(tokens):
    assert tokens.status == 200, tokens.body
    return tokens.claims("access_token")["aud"]


def test_without_a_resource_the_token_is_for_us(caller, browser, session_id):
    tokens = caller.sign_in(browser)
    assert audience(tokens) == ORIGIN
    assert caller.userinfo(tokens.access_token).status == 200


def test_a_token_is_for_the_resource_alone(caller, browser, session_id):
    tokens = caller.sign_in(browser, resource=CALENDAR)
    assert audience(tokens) == CALENDAR
    assert caller.userinfo(tokens.access_token).error == (401, "invalid_token")
    assert tokens.claims()["aud"] == "caller"


def test_several_resources_stand_together_and_each_once(caller, browser, session_id):
    tokens = caller.redeem(
        answer_of(go(caller, browser, resource=[CALENDAR, LETTERS, CALENDAR]))["code"]
    )
    assert audience(tokens) == [CALENDAR, LETTERS]


@pytest.mark.parametrize(
    "resource",
    [
        "https://evil.example/",
        CALENDAR + "/",
        CALENDAR + "#x",
        "https://calendar.example",
        "calendar",
        [CALENDAR, "https://evil.example/"],
    ],
)
def test_a_resource_that_is_not_registered_is_refused_everywhere(
    caller, browser, session_id, resource
):
    assert_error(go(caller, browser, resource=resource), "invalid_target")
    answer = caller.call("/par", **caller.params(resource=resource))
    assert answer.error == (400, "invalid_target")
    code = answer_of(go(caller, browser, resource=[CALENDAR, LETTERS]))["code"]
    assert caller.redeem(code, resource=resource).error == (400, "invalid_target")
    # Whoever asked for too much may ask again.
    assert caller.redeem(code).status == 200
    own = caller.call("/token", grant_type="client_credentials", resource=resource)
    assert own.error == (400, "invalid_target")


def test_a_code_is_redeemed_for_one_of_its_resources(caller, browser, session_id):
    code = answer_of(go(caller, browser, resource=[CALENDAR, LETTERS]))["code"]
    tokens = caller.redeem(code, resource=LETTERS)
    assert audience(tokens) == LETTERS


def test_a_refresh_asks_for_one_or_gets_all_that_were_granted(caller, browser, session_id):
    code = answer_of(go(caller, browser, resource=[CALENDAR, LETTERS]))["code"]
    tokens = caller.redeem(code, resource=LETTERS)
    token = tokens.refresh_token
    assert audience(caller.refresh(token)) == [CALENDAR, LETTERS]
    assert audience(caller.refresh(token, resource=CALENDAR)) == CALENDAR
    refused = caller.refresh(token, resource="https://evil.example/")
    assert refused.error == (400, "invalid_target")
    assert audience(caller.refresh(token)) == [CALENDAR, LETTERS]


def test_what_was_not_granted_cannot_be_asked_for_later(caller, browser, session_id):
    code = caller.code(browser)
    assert caller.redeem(code, resource=CALENDAR).error == (400, "invalid_target")
    token = caller.redeem(code).refresh_token
    assert caller.refresh(token, resource=CALENDAR).error == (400, "invalid_target")


def test_a_clients_own_token_is_for_a_resource(caller):
    tokens = caller.call("/token", grant_type="client_credentials", resource=CALENDAR)
    assert audience(tokens) == CALENDAR
    assert audience(caller.call("/token", grant_type="client_credentials")) == ORIGIN


def test_a_service_sees_the_tokens_that_are_for_it(caller, calendar, rp, browser, session_id):
    token = caller.sign_in(browser, resource=CALENDAR).access_token
    assert calendar.introspect(token)["aud"] == CALENDAR
    assert caller.introspect(token)["active"] is True
    assert rp.introspect(token) == {"active": False}
    other = caller.sign_in(browser, resource=LETTERS).access_token
    assert calendar.introspect(other) == {"active": False}


def test_a_pushed_request_keeps_its_resources(caller, browser, session_id):
    pushed = caller.call("/par", **caller.params(resource=[CALENDAR, LETTERS]))
    wanted = {"client_id": "caller", "request_uri": pushed.request_uri, "resource": "https://x"}
    page = browser.get(with_query("/authorize", wanted)).arrive()
    assert audience(caller.redeem(answer_of(page)["code"])) == [CALENDAR, LETTERS]
