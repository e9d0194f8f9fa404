"""What a kind of service needs, and no more: events, information, supporters; and proxies."""

import pytest

from idp.db.session import transaction
from idp.model.people import Account
from idp.model.upstream import LinkedIdentity
from tests import factories
from tests.web.oidc.conftest import SECRET, Service, answer_of, secret_row
from tests.web.oidc.test_delegation import granted, proxy  # noqa: F401 - a fixture

PROTOCOL = {
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "at_hash",
    "s_hash",
}


@pytest.fixture
def register(app, sessions, clock, town, world):
    """Register a service of this kind."""

    def run(client_id, scope, *, sector="municipality:990001", **details):
        with transaction(sessions) as db:
            factories.make_client(
                db,
                now=clock(),
                client_id=client_id,
                municipality_id=town.id,
                sector=sector,
                details={"scope": scope, **details},
            )
            db.add(secret_row(client_id, SECRET, now=clock()))
        return Service(app, client_id)

    return run


def test_b55_an_events_service_gets_sub_and_mail_and_takes_the_lowest_sign_in(
    register, browser, enter_session, mother, sessions, clock
):
    with transaction(sessions) as db:
        db.get_one(Account, mother.id).email_verified_at = clock()
    enter_session(browser, mother, acr="urn:kosodate:acr:pwd", amr=("pwd",))
    events = register("events", "openid email")
    tokens = events.sign_in(browser, scope="openid email", acr_values="urn:kosodate:acr:pwd")
    assert tokens.status == 200
    assert tokens.claims()["acr"] == "urn:kosodate:acr:pwd"
    assert tokens.claims().keys() <= PROTOCOL
    told = events.userinfo(tokens.access_token).body
    assert told.keys() == {"sub", "email", "email_verified"}
    assert told["sub"] == tokens.claims()["sub"]


def test_b56_an_information_service_gets_birthdates_only_with_the_scope_and_a_strong_sign_in(
    register, browser, enter_session, mother, household, town, sessions
):
    with transaction(sessions) as db:
        db.merge(town).shares_children = True
    wanted = '{"id_token":{"acr":{"essential":true,"values":["urn:kosodate:acr:mfa"]}}}'
    info = register("info", "openid children")
    enter_session(browser, mother)
    page = info.authorize(browser, scope="openid children", claims=wanted, prompt="none")
    assert answer_of(page)["error"] == "unmet_authentication_requirements"
    enter_session(browser, mother, acr="urn:kosodate:acr:mfa", amr=("pwd", "otp", "mfa"))
    tokens = info.sign_in(browser, scope="openid children", claims=wanted, prompt="none")
    assert tokens.claims()["acr"] == "urn:kosodate:acr:mfa"
    told = info.userinfo(tokens.access_token).body
    assert told["kosodate_children"]
    for child in told["kosodate_children"]:
        assert {"id", "birthdate", "status"} <= child.keys()
        assert "name" not in child
    less = info.sign_in(browser, scope="openid", prompt="none")
    assert "kosodate_children" not in info.userinfo(less.access_token).body


def test_b57_a_supporters_service_hears_how_well_a_person_was_proofed(
    register, browser, enter_session, mother, sessions, clock
):
    enter_session(browser, mother)
    support = register("support", "openid assurance")

    def assurance():
        tokens = support.sign_in(browser, scope="openid assurance", prompt="none")
        return support.userinfo(tokens.access_token).body.get("kosodate_assurance")

    assert (assurance() or {}).get("ial") != 2
    with transaction(sessions) as db:
        db.add(
            LinkedIdentity(
                id=factories.new_id(now=clock()),
                account_id=mother.id,
                issuer="https://upstream.example",
                subject="card-1",
                method="digital_auth_app",
                linked_at=clock(),
                proofed_at=clock(),
            )
        )
    told = assurance()
    assert told["ial"] == 2
    assert told["method"] == "digital_auth_app"


def test_px_01_a_proxy_is_named_herself_and_gets_what_was_delegated(
    register,
    browser,
    enter_session,
    mother,
    proxy,  # noqa: F811 - the fixture
):
    scope = "openid household delegation"
    service = register("acting", scope, authorization_details_types=["kosodate_delegation"])
    enter_session(browser, mother)
    hers = service.sign_in(browser, scope=scope, prompt="none")
    tokens = granted(service, proxy)
    (detail,) = tokens.authorization_details
    assert (detail["role"], detail["categories"]) == ("proxy", ["booking"])
    # Both are named: who acts is `sub`, for whom is the household; never the guardian alone.
    tokens = service.sign_in(proxy, scope=scope, prompt="none")
    own = tokens.claims()["sub"]
    assert own != hers.claims()["sub"]
    assert tokens.claims("access_token")["sub"] == own
    told, of_guardian = (service.userinfo(each.access_token).body for each in (tokens, hers))
    assert told["sub"] == own
    assert told["kosodate_household"]["role"] == "proxy"
    assert told["kosodate_household"]["id"] == of_guardian["kosodate_household"]["id"]
    (delegation,) = told["kosodate_delegations"]
    assert delegation["grantor"] == of_guardian["sub"]
    active = {each["code"] for each in delegation["categories"] if each["active"]}
    assert active == {"booking"}
    # No scope beyond those that were asked for and registered.
    page = service.authorize(proxy, scope=f"{scope} children")
    assert answer_of(page)["error"] == "invalid_scope"
