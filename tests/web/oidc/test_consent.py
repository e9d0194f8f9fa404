"""The consent page."""

import pytest
from sqlalchemy import select

from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.grants.client_addresses import FetchedLogo
from idp.domain.grants.consents import revoke_consent
from idp.domain.grants.logos import store_logo
from idp.domain.upkeep.audit import SYSTEM
from idp.model.clients import Client
from idp.model.grants import Consent
from idp.model.upkeep import AuditEvent
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import answer_of


def test_a26_whoever_declines_gives_nothing_and_the_service_is_told(
    other, browser, session_id, sessions
):
    page = other.authorize(browser)
    answer = answer_of(page.submit("/consent", decision="deny").arrive())
    assert (answer["error"], answer["state"]) == ("access_denied", "st-1")
    with sessions() as db:
        assert db.scalars(select(Consent)).all() == []
        assert db.scalars(select(AuditEvent).where(AuditEvent.name == "consent.denied")).one()


def test_whoever_agrees_is_asked_once(other, browser, session_id):
    page = other.authorize(browser)
    assert page.status == 200
    assert "code" in answer_of(page.submit("/consent", decision="allow").arrive())
    assert "code" in answer_of(other.authorize(browser))


def test_a_service_that_wants_more_asks_again(other, browser, session_id):
    other.authorize(browser).submit("/consent", decision="allow")
    assert other.authorize(browser, scope="openid profile email").status == 200


def test_claims_by_name_are_asked_for_too(other, browser, session_id):
    claims = '{"userinfo":{"email":null}}'
    page = other.authorize(browser, scope="openid", claims=claims)
    assert "メールアドレス" in page.text
    code = answer_of(page.submit("/consent", decision="allow").arrive())["code"]
    tokens = other.redeem(code)
    assert set(other.userinfo(tokens.access_token).body) == {"sub", "email"}


def test_prompt_consent_asks_although_she_has_agreed(rp, browser, session_id):
    page = rp.authorize(browser, prompt="consent")
    assert page.status == 200
    assert "code" in answer_of(page.submit("/consent", decision="allow").arrive())


def test_rt_07_a_consent_taken_back_kills_what_came_of_it(
    other, browser, session_id, sessions, mother, clock
):
    page = other.authorize(browser)
    code = answer_of(page.submit("/consent", decision="allow").arrive())["code"]
    tokens = other.redeem(code)
    with transaction(sessions) as db:
        revoke_consent(db, mother.id, "other", actor=SYSTEM, now=clock())
    assert other.userinfo(tokens.access_token).status == 401
    assert other.refresh(tokens.refresh_token).error == (400, "invalid_grant")
    assert other.authorize(browser).status == 200


def test_a30_the_page_names_terms_policy_and_operator(rp, browser, session_id):
    page = rp.authorize(browser, prompt="consent")
    assert "https://rp.example/terms" in page.links
    assert "https://rp.example/privacy" in page.links
    assert "架空市こども課" in page.text


@pytest.mark.parametrize(
    "field", [{"scope": "openid email"}, {"client_id": "spa"}, {"decision": "maybe"}]
)
def test_px_06_an_added_field_is_refused(other, browser, session_id, sessions, field):
    page = other.authorize(browser)
    refused = page.submit("/consent", **({"decision": "allow"} | field))
    assert (refused.status, refused.location) == (400, None)
    with sessions() as db:
        assert db.scalars(select(Consent)).all() == []


def test_px_07_a_refusal_stores_nothing(other, browser, session_id, sessions):
    other.authorize(browser).submit("/consent", decision="deny")
    with sessions() as db:
        assert db.scalars(select(Consent)).all() == []


def test_two_tabs_are_not_mixed_up(other, spa, browser, session_id, sessions):
    """What is allowed is what stood on the page, whatever was opened since."""
    page = other.authorize(browser, scope="openid profile")
    spa.authorize(browser, scope="openid offline_access")
    page.submit("/consent", decision="allow")
    with sessions() as db:
        row = db.scalars(select(Consent)).one()
        assert (row.client_id, row.scope) == ("other", "openid profile")


def test_without_a_walk_or_a_person_the_page_goes_back_to_the_walk(other, browser, session_id):
    for path in ("/consent", "/consent?i=x", "/consent?i=00000000-0000-0000-0000-000000000000"):
        assert browser.get(path).location == "/continue"


def test_another_browser_cannot_answer(other, browser, session_id, stranger):
    page = other.authorize(browser)
    action = page.form("/consent").action
    assert stranger.get(action).location == "/continue"


def test_br_01_without_a_form_token_nothing_is_agreed_to(other, browser, session_id, sessions):
    page = other.authorize(browser)
    refused = browser.post(page.form("/consent").action, {"decision": "allow"})
    assert refused.status in (400, 403)
    with sessions() as db:
        assert db.scalars(select(Consent)).all() == []


def test_the_form_may_lead_to_the_service(other, browser, session_id):
    """Browsers hold every redirect after a form to form-action."""
    page = other.authorize(browser)
    assert "form-action 'self' https:" in page.headers["Content-Security-Policy"]


def test_a_second_answer_changes_nothing(other, browser, session_id, sessions):
    page = other.authorize(browser)
    page.submit("/consent", decision="allow").arrive()
    page.submit("/consent", decision="deny").arrive()
    with sessions() as db:
        assert len(db.scalars(select(Consent)).all()) == 1
    assert "code" in answer_of(other.authorize(browser))


def test_the_language_of_the_person_is_spoken(other, browser, session_id):
    page = browser.get(with_query("/authorize", other.params()), Accept_Language="en").arrive()
    assert page.status == 200


PICTURE = b"\x89PNG\r\n\x1a\n" + b"a picture"


def test_br_09_sr_05_a_services_picture_comes_from_our_own_origin(
    app, other, browser, session_id, sessions, clock
):
    with transaction(sessions) as db:
        digest = store_logo(db, FetchedLogo("image/png", PICTURE), now=clock())
        client = db.get_one(Client, "other")
        client.logo_digest = digest
        client.details = client.details | {"logo_uri": "https://elsewhere.example/logo.png"}
        client.version += 1
    page = other.authorize(browser)
    address = f"/logo/{digest.hex()}"
    assert f'src="{address}"' in page.text
    assert "elsewhere.example" not in page.text
    assert "img-src 'self' data:;" in page.headers["Content-Security-Policy"]
    picture = app.test_client().get(address, base_url=ORIGIN)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")
    assert picture.data == PICTURE
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in picture.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["00" * 32, "zz", "..", "A" * 400])
def test_br_09_a_picture_that_is_not_ours_does_not_exist(browser, name):
    assert browser.get(f"/logo/{name}").status == 404
