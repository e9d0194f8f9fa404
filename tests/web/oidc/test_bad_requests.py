"""Authorization requests at their edges: each outcome of the catalogue, exactly (AZ, PK)."""

import pytest
from sqlalchemy import update
from sqlalchemy.orm import sessionmaker

from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.documents.versions import NewText, NewVersion, publish
from idp.domain.upkeep.audit import SYSTEM
from idp.model.documents import DocumentKind
from idp.model.people import Account
from tests import factories
from tests.protocol.test_authorize import NEAR_MISSES
from tests.web.applications import build_app
from tests.web.oidc.conftest import SECRET, Service, answer_of, secret_row
from tests.web.oidc.test_authorize import OTHER_ERRORS, assert_error, assert_shown
from tests.web.oidc.test_token import assert_error as assert_token_error


@pytest.mark.parametrize("uri", NEAR_MISSES)
def test_az_03_every_near_miss_is_a_page_of_ours(rp, browser, session_id, uri):
    near = uri.replace("rp.test", "rp.example").replace("/cb", "/callback")
    assert_shown(browser.get(with_query("/authorize", rp.params(redirect_uri=near))))


@pytest.mark.parametrize(
    "changes", [*OTHER_ERRORS, {"code_challenge": None}, {"state": "x" * 5000}]
)
def test_az_02_a_signed_in_person_is_sent_nowhere_either(rp, browser, session_id, changes):
    page = rp.authorize(browser, redirect_uri="https://evil.example/", **changes)
    assert_shown(page)


def test_az_06_an_empty_response_type_is_a_missing_one(rp, browser):
    """RFC 6749 section 3.1: what is sent without a value counts as left out."""
    assert_error(rp.authorize(browser, response_type=""), "invalid_request")


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message", "jwt", "bogus"])
def test_az_07_a_service_that_registered_the_query_alone_hears_of_others_by_query(
    app, world, browser, sessions, clock, mode
):
    with transaction(sessions) as db:
        details = {"kosodate_response_modes": ["query"]}
        factories.make_client(db, now=clock(), client_id="plain", details=details)
    service = Service(app, "plain")
    assert_error(service.authorize(browser, response_mode=mode), "invalid_request")


def test_az_09_a_long_nonce_with_everything_in_it_stands_in_the_id_token(rp, browser, session_id):
    nonce = ('<>"&%😀' + "x" * 93) * 40
    assert rp.sign_in(browser, nonce=nonce).claims()["nonce"] == nonce
    assert_error(rp.authorize(browser, nonce="x" * 4097), "invalid_request")


def test_az_12_prompt_none_while_terms_are_outstanding(
    rp, browser, session_id, sessions, clock, town
):
    version = NewVersion(
        kind=DocumentKind.TERMS,
        texts=(NewText("ja", "# 規約\n\n新しい規約", summary="新しくなりました"),),
        is_material=True,
        effective_at=clock(),
    )
    with transaction(sessions) as db:
        publish(db, town.id, version, actor=SYSTEM, now=clock())
    assert_error(rp.authorize(browser, prompt="none"), "interaction_required")


def test_az_12_prompt_none_while_the_code_is_outstanding(rp, browser, mother, world):
    page = rp.authorize(browser).submit(login_id=mother.login_id, password=factories.PASSWORD)
    assert page.arrive().form().action.startswith("/login/code")
    assert_error(rp.authorize(browser, prompt="none"), "login_required")


def test_az_12_prompt_none_while_the_account_is_locked(rp, browser, mother, world):
    for _ in range(6):
        rp.authorize(browser).submit(login_id=mother.login_id, password="wrong-Password-1")
    assert_error(rp.authorize(browser, prompt="none"), "login_required")


@pytest.mark.parametrize("scope", ["openid\nprofile", "openid\tprofile", "openid " + "x" * 5_000])
def test_az_14_a_scope_of_another_shape_is_refused(rp, browser, session_id, scope):
    assert_error(rp.authorize(browser, scope=scope), "invalid_scope")


def test_in_07_az_14_a_nul_makes_a_request_unreadable(rp, browser, session_id):
    assert_shown(rp.authorize(browser, scope="openid\x00"))


def test_az_14_a_scope_of_a_megabyte_is_not_even_read(rp, browser, session_id):
    form = rp.params(scope="openid " + "x" * 1_000_000)
    page = browser.post("/authorize", form, Origin="https://rp.example")
    assert (page.status, page.location) == (413, None)


def test_az_15_a_code_of_one_issuer_is_worth_nothing_at_another(
    rp, browser, session_id, postgresql_url, clock
):
    code = rp.code(browser)
    elsewhere = build_app(postgresql_url, clock, provider={"issuer": "https://id.two.example.jp"})
    with elsewhere.app_context():
        engine = elsewhere.extensions["sqlalchemy"].engine
    with transaction(sessionmaker(engine)) as db:
        factories.make_client(db, now=clock(), client_id="rp")
        db.add(secret_row("rp", SECRET, now=clock()))
    other = Service(elsewhere, "rp")
    answer = other.http.post(
        "/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "https://rp.example/callback",
            "code_verifier": "v" * 43,
        },
        headers=other.basic(),
        base_url="https://id.two.example.jp",
    )
    engine.dispose()
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
    assert rp.redeem(code).status == 200


@pytest.mark.parametrize("method", ["plain", "s256", "S512", None, ""])
@pytest.mark.parametrize("service", ["rp", "spa"])
def test_pk_03_no_other_method_makes_a_code(request, browser, session_id, service, method):
    found = request.getfixturevalue(service)
    page = found.authorize(browser, scope="openid", code_challenge_method=method)
    assert_error(page, "invalid_request")


@pytest.mark.parametrize("service", ["rp", "spa"])
def test_pk_05_a_stripped_challenge_makes_no_code_whatever_the_verifier(
    request, browser, session_id, service
):
    found = request.getfixturevalue(service)
    changes = {"code_challenge": None, "code_challenge_method": None}
    assert_error(found.authorize(browser, scope="openid", **changes), "invalid_request")


def test_rt_06_a_person_whose_account_is_closed_keeps_nothing(
    rp, browser, session_id, sessions, mother
):
    tokens = rp.sign_in(browser)
    with transaction(sessions) as db:
        db.execute(update(Account).where(Account.id == mother.id).values(status="closed"))
    assert rp.userinfo(tokens.access_token).error == (401, "invalid_token")
    assert_token_error(rp.refresh(tokens.refresh_token), "invalid_grant")
    assert rp.introspect(tokens.access_token) == {"active": False}
    assert "code" not in answer_of(rp.authorize(browser, prompt="none"))
