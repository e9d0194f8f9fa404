"""`kosodate_delegation`: for which household a service acts, and what it may do (RFC 9396)."""

import json

import pytest
from sqlalchemy import select, update

from idp.db.session import transaction
from idp.model.households import Membership, MembershipRole
from idp.model.upkeep import AuditEvent
from tests import factories
from tests.web.oidc.conftest import SECRET, Service, answer_of, secret_row
from tests.web.oidc.test_authorize import assert_error
from tests.web.pages import Browser

KIND = {"type": "kosodate_delegation"}


def make(app, sessions, clock, town, client_id, **columns):
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id=client_id,
            municipality_id=town.id,
            sector="municipality:990001",
            details={
                "scope": "openid household",
                "authorization_details_types": ["kosodate_delegation"],
            },
            **columns,
        )
        db.add(secret_row(client_id, SECRET, now=clock()))
    return Service(app, client_id)


@pytest.fixture
def acting(app, world, sessions, clock, town):
    """A service of the municipality that acts for households."""
    return make(app, sessions, clock, town, "acting")


@pytest.fixture
def asking(app, world, sessions, clock, town):
    """One whose people are asked."""
    return make(app, sessions, clock, town, "asking", is_consented=False)


@pytest.fixture
def proxy(app, sessions, clock, town, household, enter_session, world):
    """The browser of a grandmother who may book, and nothing else."""
    with transaction(sessions) as db:
        account = factories.make_account(db, now=clock(), municipality_id=town.id)
        factories.make_member(
            db,
            household_id=household.id,
            account=account,
            now=clock(),
            role=MembershipRole.PROXY,
            categories={"booking": True, "certificate": False},
        )
    found = Browser(app, address="192.0.2.20")
    enter_session(found, account)
    return found


def details(**members):
    return json.dumps([KIND | members])


def go(service, browser, **members):
    return service.authorize(
        browser, scope="openid household", authorization_details=details(**members)
    )


def granted(service, browser, **members):
    tokens = service.redeem(answer_of(go(service, browser, **members))["code"])
    assert tokens.status == 200
    return tokens


def test_what_was_granted_stands_in_the_answer_the_token_and_the_introspection(
    acting, browser, session_id
):
    tokens = granted(acting, browser)
    (detail,) = tokens.authorization_details
    assert detail["type"] == "kosodate_delegation"
    assert detail["role"] == "representative"
    assert detail["categories"] == ["booking", "certificate"]
    household = acting.userinfo(tokens.access_token).body["kosodate_household"]
    assert detail["household_id"] == household["id"]
    assert tokens.claims("access_token")["authorization_details"] == [detail]
    assert acting.introspect(tokens.access_token)["authorization_details"] == [detail]
    assert "authorization_details" not in tokens.claims()
    assert acting.refresh(tokens.refresh_token).authorization_details == [detail]


def test_without_the_parameter_nothing_of_it_appears(acting, browser, session_id):
    tokens = acting.sign_in(browser, scope="openid household")
    assert "authorization_details" not in tokens.body
    assert "authorization_details" not in tokens.claims("access_token")
    assert "authorization_details" not in acting.introspect(tokens.access_token)


def test_a35_a_proxy_gives_no_more_than_she_may_do(acting, proxy):
    (detail,) = granted(acting, proxy).authorization_details
    assert (detail["role"], detail["categories"]) == ("proxy", ["booking"])
    (detail,) = granted(acting, proxy, categories=["certificate", "booking"]).authorization_details
    assert detail["categories"] == ["booking"]
    assert_error(go(acting, proxy, categories=["certificate"]), "access_denied")


def test_a_service_gets_no_more_than_it_asked_for(acting, browser, session_id):
    (detail,) = granted(acting, browser, categories=["certificate"]).authorization_details
    assert detail["categories"] == ["certificate"]


def test_a_named_household_is_the_one_she_acts_for_or_nothing(acting, browser, session_id):
    (detail,) = granted(acting, browser).authorization_details
    (again,) = granted(acting, browser, household_id=detail["household_id"]).authorization_details
    assert again == detail
    assert_error(go(acting, browser, household_id="somebody-elses"), "access_denied")


def test_who_acts_for_nobody_can_give_nothing(acting, stranger):
    assert_error(go(acting, stranger), "access_denied")


def test_what_is_taken_away_is_gone_at_once(acting, proxy, sessions):
    tokens = granted(acting, proxy)
    with transaction(sessions) as db:
        off = {"booking": False, "certificate": True}
        db.execute(
            update(Membership).where(Membership.role == MembershipRole.PROXY).values(categories=off)
        )
    (now,) = acting.introspect(tokens.access_token)["authorization_details"]
    assert now["categories"] == ["certificate"]


@pytest.mark.parametrize(
    "text", ["", "x", "{}", "[]", details(categories=["everything"]), details(x=1)]
)
def test_a_bad_parameter_is_reported(acting, browser, session_id, text):
    page = acting.authorize(browser, scope="openid", authorization_details=text)
    if text:
        assert_error(page, "invalid_authorization_details")
        form = acting.params(scope="openid", authorization_details=text)
        assert acting.call("/par", **form).error == (400, "invalid_authorization_details")
    else:
        assert "code" in answer_of(page)


def test_a_client_that_has_not_registered_the_type_is_refused(rp, browser, session_id):
    page = rp.authorize(browser, authorization_details=details())
    assert_error(page, "invalid_authorization_details")


def test_px_06_the_person_is_told_in_plain_words_each_time(asking, browser, session_id):
    for _ in range(2):
        page = go(asking, browser, categories=["booking"])
        assert page.status == 200
        assert "手続きをする世帯のためにできること" in page.text
        assert "さんの世帯（代表）<br>予約</dd>" in page.text
        page = page.submit("/consent", decision="allow").arrive()
        assert "code" in answer_of(page)
    silent = asking.authorize(
        browser, scope="openid", prompt="none", authorization_details=details()
    )
    assert_error(silent, "consent_required")


def test_px_06_a_proxy_is_told_for_whom_and_no_more_than_she_can_give(asking, proxy):
    page = go(asking, proxy)
    assert "佐倉 美咲 さんの世帯（代理）<br>予約</dd>" in page.text
    page = page.submit("/consent", decision="allow").arrive()
    (detail,) = asking.redeem(answer_of(page)["code"]).authorization_details
    assert detail["categories"] == ["booking"]


@pytest.mark.parametrize("wanted", [{"household_id": "elsewhere"}, {"categories": ["certificate"]}])
def test_px_06_what_she_cannot_give_is_said_before_she_goes_back(asking, proxy, sessions, wanted):
    page = go(asking, proxy, **wanted)
    assert "いまの世帯では、許可できません" in page.text
    assert 'value="allow"' not in page.text
    assert_error(page.submit("/consent", decision="deny").arrive(), "access_denied")
    # An older page, or one made by hand: the answer is the same.
    page = go(asking, proxy, **wanted).submit("/consent", decision="allow").arrive()
    assert_error(page, "access_denied")
    with transaction(sessions) as db:
        named = AuditEvent.name.in_(["consent.denied", "authorization.refused"])
        found = {event.name: event for event in db.scalars(select(AuditEvent).where(named))}
    assert {event.client_id for event in found.values()} == {"asking"}
    assert found["consent.denied"].detail == {}
    assert found["authorization.refused"].detail == {"reason": "delegation"}


def test_px_07_declining_gives_nothing(asking, browser, session_id):
    page = go(asking, browser).submit("/consent", decision="deny").arrive()
    assert_error(page, "access_denied")


def test_the_details_cannot_be_changed_at_the_token_endpoint(acting, browser, session_id):
    code = answer_of(go(acting, browser))["code"]
    refused = acting.redeem(code, authorization_details=details(categories=["booking"]))
    assert refused.error == (400, "invalid_authorization_details")
    assert acting.redeem(code).status == 200
