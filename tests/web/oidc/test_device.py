"""A device without a keyboard gets tokens by way of a person's phone (RFC 8628)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from idp.db.session import transaction
from idp.model.clients import Client, ClientStatus
from idp.model.grants import Consent, DeviceAuthorization, RefreshToken, TokenFamily
from idp.model.people import Account, AccountStatus
from idp.model.signin import Interaction
from idp.model.upkeep import AuditEvent
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import SECRET, Service, secret_row
from tests.web.oidc.test_token import assert_error
from tests.web.pages import Browser

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = [GRANT, "refresh_token"]
SCOPE = "openid profile offline_access"


class Device(Service):
    """A service on a device: asks for codes, shows one, polls with the other."""

    def open(self, scope=SCOPE, **form):
        return self.call("/device_authorization", scope=scope, **form)

    def poll(self, device_code, **form):
        return self.call("/token", grant_type=GRANT, device_code=device_code, **form)


@pytest.fixture
def tv(app, sessions, town, world):
    """A public client on a television, of the municipality."""
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=world,
            client_id="tv",
            municipality_id=town.id,
            sector="municipality:990001",
            details={
                "client_name": "Television",
                "client_name#ja": "ロビーの機器",
                "scope": SCOPE,
                "token_endpoint_auth_method": "none",
                "grant_types": GRANTS,
                "redirect_uris": [],
            },
        )
    return Device(app, "tv", None)


@pytest.fixture
def kiosk(app, sessions, town, world):
    """A confidential client at the counter."""
    with transaction(sessions) as db:
        details = {"scope": SCOPE, "grant_types": GRANTS, "redirect_uris": []}
        factories.make_client(
            db,
            now=world,
            client_id="kiosk",
            municipality_id=town.id,
            sector="municipality:990001",
            details=details,
        )
        db.add(secret_row("kiosk", SECRET, now=world))
    return Device(app, "kiosk")


def type_code(browser, opened, typed=None):
    """Type the code; return the page that comes of it."""
    page = browser.get("/device")
    return page.submit("/device", user_code=typed or opened.user_code).arrive()


def decide(browser, opened, decision="allow"):
    page = type_code(browser, opened)
    return page.submit("/device/confirm", decision=decision).arrive()


def count(sessions, table):
    with transaction(sessions) as db:
        return db.scalar(select(func.count()).select_from(table))


def acts(sessions, *names):
    with transaction(sessions) as db:
        found = db.scalars(select(AuditEvent.name).order_by(AuditEvent.at, AuditEvent.id)).all()
    return {name for name in found if name in names}


def test_the_answer_to_a_device_is_what_rfc_8628_says(tv):
    opened = tv.open()
    assert opened.status == 200
    assert opened.response.headers["Cache-Control"] == "no-store"
    assert set(opened.body) == {
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_in",
        "interval",
    }
    assert len(opened.device_code) >= 43
    assert opened.verification_uri == f"{ORIGIN}/device"
    assert opened.verification_uri_complete == f"{ORIGIN}/device?user_code={opened.user_code}"
    assert (opened.expires_in, opened.interval) == (600, 5)


def test_a_device_gets_tokens_when_the_person_allows_it(tv, browser, session_id, sessions, later):
    opened = tv.open()
    assert_error(tv.poll(opened.device_code), "authorization_pending")
    done = decide(browser, opened)
    assert "機器を使えるようになりました" in done.text
    later(seconds=5)
    tokens = tv.poll(opened.device_code)
    assert tokens.status == 200
    assert tokens.body["scope"] == SCOPE
    assert tokens.claims()["aud"] == "tv"
    assert "nonce" not in tokens.claims()
    assert tv.userinfo(tokens.access_token).body["sub"] == tokens.claims()["sub"]
    renewed = tv.refresh(tokens.refresh_token)
    assert renewed.claims()["sub"] == tokens.claims()["sub"]
    wanted = ("device.opened", "consent.granted", "device.allowed", "device.redeemed")
    assert acts(sessions, *wanted) == set(wanted)


def test_a_confidential_device_proves_itself_at_both_endpoints(kiosk, browser, session_id):
    assert kiosk.call("/device_authorization", headers={}, scope="openid").status == 401
    wrong = kiosk.call("/device_authorization", headers=kiosk.basic("x" * 40), scope="openid")
    assert wrong.error == (401, "invalid_client")
    opened = kiosk.open()
    decide(browser, opened)
    answer = kiosk.call(
        "/token", headers=kiosk.basic("x" * 40), grant_type=GRANT, device_code=opened.device_code
    )
    assert answer.error == (401, "invalid_client")
    assert kiosk.poll(opened.device_code).status == 200


def test_without_offline_access_there_is_one_access_token(tv, browser, session_id, sessions, later):
    opened = tv.open("openid profile")
    decide(browser, opened)
    tokens = tv.poll(opened.device_code)
    assert "refresh_token" not in tokens.body
    assert count(sessions, RefreshToken) == 0
    later(seconds=299)
    assert tv.userinfo(tokens.access_token).status == 200
    later(seconds=1)
    assert tv.userinfo(tokens.access_token).error == (401, "invalid_token")


def test_a_person_who_is_not_signed_in_goes_through_the_whole_sign_in(
    tv, browser, mother, household, mailbox, clock
):
    opened = tv.open("openid profile")
    page = type_code(browser, opened, opened.user_code.lower())
    assert page.form().action.startswith("/login")
    assert "ロビーの機器" in page.text
    page = page.submit(login_id=mother.login_id, password=factories.PASSWORD).arrive()
    page = page.submit(code=mailbox("login_code")[-1][1]["code"]).arrive()
    assert page.form("/device/confirm")
    done = page.submit("/device/confirm", decision="allow").arrive()
    assert "機器を使えるようになりました" in done.text
    clock.advance(timedelta(seconds=5))
    claims = tv.poll(opened.device_code).claims()
    assert claims["acr"] == "urn:kosodate:acr:pwd+emailotp"
    assert claims["auth_time"] == int((clock() - timedelta(seconds=5)).timestamp())


def test_the_question_names_the_service_warns_and_shows_the_code_again(tv, browser, session_id):
    opened = tv.open()
    page = type_code(browser, opened)
    assert "ロビーの機器" in page.text
    assert opened.user_code in page.text
    assert "だれかに言われて" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_it_is_asked_every_time_though_consent_was_given(tv, browser, session_id):
    for _ in range(2):
        assert type_code(browser, tv.open()).form("/device/confirm")
        decide(browser, tv.open())


def test_an_address_with_the_code_only_fills_it_in(tv, browser, session_id, sessions):
    opened = tv.open()
    page = browser.get(opened.verification_uri_complete.removeprefix(ORIGIN))
    assert page.form("/device").fields["user_code"] == opened.user_code
    assert_error(tv.poll(opened.device_code), "authorization_pending")
    assert count(sessions, Interaction) == 0
    assert page.submit("/device").arrive().form("/device/confirm")


def test_br_06_what_the_address_brings_is_shown_as_text(browser):
    page = browser.get('/device?user_code="><script>alert(1)</script>')
    assert "<script>alert" not in page.text


def test_px_07_a_refusal_gives_nothing(tv, browser, session_id, sessions):
    opened = tv.open()
    done = decide(browser, opened, "deny")
    assert "機器に許可しませんでした" in done.text
    assert_error(tv.poll(opened.device_code), "access_denied")
    assert count(sessions, Consent) == 0
    assert count(sessions, TokenFamily) == 0
    assert acts(sessions, "consent.denied", "device.refused") == {
        "consent.denied",
        "device.refused",
    }


def test_cancelling_the_sign_in_is_a_refusal_too(tv, browser, mother):
    opened = tv.open()
    page = type_code(browser, opened)
    done = page.submit("/cancel").arrive()
    assert "機器に許可しませんでした" in done.text
    assert_error(tv.poll(opened.device_code), "access_denied")


def test_cd_01_a_second_use_is_refused_and_kills_the_first_tokens(tv, browser, session_id):
    opened = tv.open()
    decide(browser, opened)
    tokens = tv.poll(opened.device_code)
    assert_error(tv.poll(opened.device_code), "invalid_grant")
    assert tv.userinfo(tokens.access_token).error == (401, "invalid_token")
    assert_error(tv.refresh(tokens.refresh_token), "invalid_grant")


def test_a_code_of_the_device_that_nobody_made_is_an_invalid_grant(tv):
    assert_error(tv.poll("x" * 43), "invalid_grant")
    assert_error(tv.call("/token", grant_type=GRANT), "invalid_request")


def test_a_user_code_is_no_device_code(tv, browser, session_id):
    opened = tv.open()
    decide(browser, opened)
    assert_error(tv.poll(opened.user_code), "invalid_grant")


def test_who_polls_too_fast_is_told_to_slow_down(tv, later):
    opened = tv.open()
    assert_error(tv.poll(opened.device_code), "authorization_pending")
    assert_error(tv.poll(opened.device_code), "slow_down")
    later(seconds=10)
    assert_error(tv.poll(opened.device_code), "authorization_pending")


def test_after_ten_minutes_the_code_is_over_for_both(tv, browser, session_id, later):
    opened = tv.open()
    page = type_code(browser, opened)
    later(minutes=10)
    done = page.submit("/device/confirm", decision="allow").arrive()
    assert "このコードは使えなくなりました" in done.text
    assert_error(tv.poll(opened.device_code), "expired_token")
    assert type_code(browser, opened).status == 422


def test_a_decided_code_opens_nothing_any_more(tv, browser, session_id, stranger):
    opened = tv.open()
    decide(browser, opened)
    page = type_code(stranger, opened)
    assert page.status == 422
    assert "見つかりません" in page.text


def test_of_two_people_with_one_code_the_first_decides(tv, browser, session_id, stranger):
    opened = tv.open()
    mine, other = type_code(browser, opened), type_code(stranger, opened)
    assert "使えるように" in mine.submit("/device/confirm", decision="allow").arrive().text
    late = other.submit("/device/confirm", decision="allow").arrive()
    assert "使えなくなりました" in late.text
    assert tv.poll(opened.device_code).status == 200


def test_the_question_is_asked_in_its_own_browser_only(tv, app, browser, session_id, stranger):
    opened = tv.open()
    action = type_code(browser, opened).form("/device/confirm").action
    assert stranger.get(action).status == 400
    form = stranger.get("/device").form("/device").fields
    assert stranger.post(action, form | {"decision": "allow"}).status == 400
    assert_error(tv.poll(opened.device_code), "authorization_pending")
    # The page of ordinary consents does not answer for a device, nor fail.
    assert browser.get(action.replace("/device/confirm", "/consent")).status == 303


@pytest.mark.parametrize("decision", ["", "ALLOW", "yes"])
def test_only_the_two_buttons_decide(tv, browser, session_id, decision):
    opened = tv.open()
    page = type_code(browser, opened).submit("/device/confirm", decision=decision).arrive()
    assert page.form("/device/confirm")
    assert_error(tv.poll(opened.device_code), "authorization_pending")


def test_br_01_a_code_or_an_answer_without_form_token_is_refused(tv, browser, session_id):
    opened = tv.open()
    browser.get("/device")
    assert browser.post("/device", {"user_code": opened.user_code}).status == 403
    action = type_code(browser, opened).form("/device/confirm").action
    assert browser.post(action, {"decision": "allow"}).status == 403
    assert_error(tv.poll(opened.device_code), "authorization_pending")


@pytest.mark.parametrize(
    "typed", ["", "  ", "WDJB", "1234-5678", "BBBB-BBBB", "あいうえお", "x" * 9000]
)
def test_what_is_no_code_is_answered_with_the_page(tv, browser, typed):
    page = browser.get("/device").submit("/device", user_code=typed)
    assert page.status == 422
    assert page.title.startswith("エラー：")
    assert 'role="alert"' in page.text


def test_tries_of_one_browser_are_limited_and_the_pause_ends(tv, browser, session_id, later):
    opened = tv.open()
    for _ in range(10):
        assert type_code(browser, opened, "BBBB-BBBB").status == 422
    paused = type_code(browser, opened)
    assert paused.status == 429
    assert int(paused.headers["Retry-After"]) > 0
    later(minutes=9, seconds=59)
    assert type_code(browser, opened).status == 429
    later(seconds=1)
    opened = tv.open()
    assert type_code(browser, opened).form("/device/confirm")


def test_tries_of_one_network_are_limited_whatever_the_browser(tv, app, browser, session_id):
    for _ in range(5):
        other = Browser(app)
        for _ in range(10):
            type_code(other, None, "BBBB-BBBB")
    assert type_code(Browser(app), tv.open()).status == 429
    # Another network is not kept out.
    elsewhere = type_code(Browser(app, address="198.51.100.9"), tv.open())
    assert elsewhere.form().action.startswith("/login")


def test_right_codes_are_not_counted(tv, browser, session_id):
    for _ in range(12):
        assert type_code(browser, tv.open()).form("/device/confirm")


@pytest.mark.parametrize("scope", [None, "", "openid email", "openid\\", "x" * 3000])
def test_az_14_a_scope_that_is_missing_or_not_the_clients_is_refused(tv, scope):
    answer = tv.open(scope)
    assert answer.status == 400
    assert answer.body["error"] in {"invalid_scope", "invalid_request"}


def test_a_client_without_the_grant_opens_nothing(rp, sessions):
    assert_error(rp.call("/device_authorization", scope="openid"), "unauthorized_client")
    assert count(sessions, DeviceAuthorization) == 0


def test_cd_06_nothing_belongs_into_the_address(tv):
    answer = tv.call("/device_authorization", query={"scope": "openid"}, client_id="tv")
    assert_error(answer, "invalid_request")
    assert tv.call("/device_authorization", method="GET").status == 405


def test_az_16_a_client_that_was_disabled_meanwhile_gets_nothing(tv, browser, session_id, sessions):
    opened = tv.open()
    page = type_code(browser, opened)
    with transaction(sessions) as db:
        changed = {"status": ClientStatus.DISABLED, "version": Client.version + 1}
        db.execute(update(Client).where(Client.id == "tv").values(**changed))
    assert page.submit("/device/confirm", decision="allow").arrive().status in {200, 400}
    assert tv.poll(opened.device_code).error == (401, "invalid_client")
    assert count(sessions, TokenFamily) == 0


def test_cd_07_a_person_who_was_stopped_in_between_gives_nothing(
    tv, browser, session_id, sessions, mother
):
    opened = tv.open()
    decide(browser, opened)
    with transaction(sessions) as db:
        stopped = update(Account).where(Account.id == mother.id)
        db.execute(stopped.values(status=AccountStatus.SUSPENDED))
    assert_error(tv.poll(opened.device_code), "invalid_grant")


def test_the_device_outlives_the_session_of_the_phone(tv, browser, session_id, later):
    opened = tv.open()
    decide(browser, opened)
    tokens = tv.poll(opened.device_code)
    browser.get("/logout").submit("/logout")
    assert tv.userinfo(tokens.access_token).status == 200
    assert tv.refresh(tokens.refresh_token).status == 200


def test_rt_07_taking_the_consent_back_ends_the_device(tv, browser, session_id):
    opened = tv.open()
    decide(browser, opened)
    tokens = tv.poll(opened.device_code)
    page = browser.get("/account/consents")
    page.submit("/account/consents/revoke", client_id="tv")
    assert_error(tv.refresh(tokens.refresh_token), "invalid_grant")
    assert tv.userinfo(tokens.access_token).error == (401, "invalid_token")


def test_rl_01_the_endpoint_of_devices_has_a_rate(tv, app, monkeypatch):
    from idp.web.limits import LIMITER, RateLimiter

    monkeypatch.setitem(app.extensions, LIMITER, RateLimiter("memory://", 2))
    assert [tv.open().status for _ in range(3)] == [200, 200, 429]
