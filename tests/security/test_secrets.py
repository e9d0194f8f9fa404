"""What logs, a copied database and a restart hold: nothing that opens anything, and all else."""

import json
import logging

import pytest
from joserfc.jwk import ECKey

from idp.model.people import Account, PasswordCredential
from idp.settings.check import SettingsError
from idp.settings.load import build_settings
from idp.web.deps import SERVICES
from tests import factories
from tests.databases import unreachable
from tests.security.support import form_token
from tests.security.test_answers import BrokenError
from tests.upstream import CLIENT_KEY
from tests.web.applications import ORIGIN, build_app, settings_for
from tests.web.oidc.conftest import Service, answer_of
from tests.web.pages import Browser

WRONG = "wrong-canary-41-password"
CHOSEN = "Chosen-canary-42-dango"


def dump(sessions):
    with sessions() as db:
        return "\n".join(db.connection().connection.driver_connection.iterdump())


def ask_for_a_password(browser, person, mailbox):
    """Ask for the mail with which a password is set; return its facts."""
    page = browser.get("/password/reset")
    asked = page.submit("/password/reset", email=person.email, email_confirm=person.email)
    assert asked.status == 303
    return mailbox("password_link")[-1][1]


def test_lg_01_a_whole_journey_leaves_no_secret_in_any_log(
    rp, browser, mother, enter, walk_in, newest_code, mailbox, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    enter(browser, password=WRONG)
    page = rp.authorize(browser).submit(login_id=mother.login_id, password=factories.PASSWORD)
    code = newest_code()
    page = page.arrive().submit(code="000000" if code != "000000" else "111111")
    page = page.submit(code=code).arrive()
    page = page.submit(decision="allow").arrive() if page.status == 200 else page
    grant = page.location.partition("code=")[2].partition("&")[0]
    tokens = rp.redeem(grant)
    rp.redeem(grant)
    rp.userinfo(tokens.access_token)
    rp.introspect(tokens.access_token)
    reset = Browser(browser.client.application, address="192.0.2.44")
    mail = ask_for_a_password(reset, mother, mailbox)
    page = reset.get(mail["url"].removeprefix(ORIGIN)).arrive().submit("/password/reset").arrive()
    chosen = {"new_password": CHOSEN, "confirm_password": CHOSEN}
    assert page.submit("/password/reset", **chosen).arrive().status == 200
    written = caplog.text + "".join(capfd.readouterr())
    secrets = {
        "password": factories.PASSWORD,
        "wrong password": WRONG,
        "code by mail": code,
        "new password": CHOSEN,
        "link of a reset": mail["url"].partition("t=")[2],
        "code of a reset": mail["code"],
        "authorization code": grant,
        "access token": tokens.access_token,
        "id token": tokens.id_token,
        "client secret": rp.secret,
        "session": browser.cookie("session"),
        "form token": form_token(browser),
        "mail address": mother.email,
        "name": mother.family_name + mother.given_name,
    }
    assert all(secrets.values())
    assert [name for name, secret in secrets.items() if secret in written] == []


def test_cd_10_a_copied_database_opens_nothing(
    rp, browser, mother, enter, walk_in, newest_code, mailbox, sessions
):
    enter(browser)
    walk_in(browser)
    token = form_token(browser)
    reset = Browser(browser.client.application, address="192.0.2.44")
    mail = ask_for_a_password(reset, mother, mailbox)
    wider = "openid profile offline_access"
    page = rp.authorize(browser, scope=wider, prompt="consent").submit(decision="allow").arrive()
    used, unused = answer_of(page)["code"], rp.code(browser)
    tokens = rp.redeem(used)
    copied = dump(sessions)
    secrets = [browser.cookie(kind) for kind in ("session", "browser", "walk", "device")]
    secrets += [f"'{newest_code()}'", f"'{mail['code']}'", mail["url"].partition("t=")[2]]
    secrets += [reset.cookie("reset"), used, unused, tokens.access_token, tokens.refresh_token]
    secrets += [token, factories.PASSWORD, factories.TOTP_SEED, rp.secret]
    assert all(secrets)
    assert [secret for secret in secrets if secret in copied] == []


def test_pw_09_a_fresh_installation_has_nobody_who_could_come_in(app, sessions, browser):
    with sessions() as db:
        assert db.query(Account).count() == 0
        assert db.query(PasswordCredential).count() == 0
    for login_id in ("admin", "root", "administrator", "test"):
        page = browser.get("/staff/login").submit(login_id=login_id, password=login_id)
        assert page.status == 422


UPSTREAM = {"issuer": "https://up.example", "client_id": "us", "private_key": "{}"}
INSECURE = [
    ({"provider": {"issuer": "http://id.example.jp"}}, "provider.issuer"),
    ({"dev": {"allow_http": True}}, "dev.allow_http"),
    ({"secrets": {"password_pepper": ""}}, "secrets.password_pepper"),
    ({"secrets": {"master_key": "A" * 43}}, "secrets.master_key"),
    ({"secrets": {"master_key": "change-me"}}, "secrets.master_key"),
    ({"mail": {"security": "none", "host": "mail.example.jp"}}, "mail.security"),
    ({"server": {"trusted_proxies": ["everybody"]}}, "server.trusted_proxies"),
    ({"outgoing": {"allowed_networks": ["inside"]}}, "outgoing.allowed_networks"),
    ({"limits": {"store": "file:///x"}}, "limits.store"),
    ({"keys": {"lead_hours": 1}}, "keys.lead_hours"),
    ({"keys": {"rotate_days": 2, "lead_hours": 48}}, "keys.rotate_days"),
    ({"keys": {"keep_days": 6}}, "keys.keep_days"),
    ({"upstream": UPSTREAM | {"issuer": "http://up.example"}}, "upstream.issuer"),
    ({"upstream": UPSTREAM | {"client_id": ""}}, "upstream.client_id"),
    ({"upstream": UPSTREAM | {"private_key": ""}}, "upstream.private_key"),
    (
        {"upstream": UPSTREAM | {"private_key": "", "profile": "openid"}},
        "upstream.client_secret",
    ),
]


@pytest.mark.parametrize(("sections", "key"), INSECURE, ids=[key for _, key in INSECURE])
def test_lg_05_what_is_not_safe_does_not_start_and_is_named(sections, key):
    with pytest.raises(SettingsError, match=key):
        settings_for("sqlite:///x", **sections)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"kty": "oct", "k": "AAAA"}',
        json.dumps(CLIENT_KEY.as_dict(private=False)),
        json.dumps(CLIENT_KEY.as_dict(private=True) | {"kid": ""}),
        json.dumps(ECKey.generate_key("P-384", {"kid": "x"}).as_dict(private=True)),
    ],
)
def test_lg_05_a_key_for_the_upstream_provider_that_is_none_does_not_start(text, clock):
    upstream = UPSTREAM | {"private_key": text or "x"}
    with pytest.raises(SettingsError, match=r"upstream\.private_key"):
        build_app("sqlite:///never-opened.sqlite3", clock, upstream=upstream)


def test_an_installation_with_an_upstream_provider_starts(clock):
    key = json.dumps(CLIENT_KEY.as_dict(private=True))
    app = build_app(
        "sqlite:///never-opened.sqlite3", clock, upstream=UPSTREAM | {"private_key": key}
    )
    config = app.extensions[SERVICES].upstream.config
    assert config.redirect_uri == f"{ORIGIN}/upstream/callback"
    assert config.key.kid == CLIENT_KEY.kid


def test_lg_05_a_missing_secret_is_named():
    with pytest.raises(SettingsError, match=r"\w+\.\w+ is missing"):
        build_settings({"provider": {"issuer": "https://id.example.jp"}}, {})


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused_in_words(clock, url):
    with pytest.raises(SettingsError, match="must name a file"):
        build_app(url, clock)


def test_lg_05_nothing_of_a_development_server_is_on(app):
    assert app.debug is False
    assert app.testing is False
    assert app.config["PROPAGATE_EXCEPTIONS"] is None


def test_ft_11_a_restart_keeps_people_grants_and_locks(
    rp, browser, session_id, mother, sqlite_url, clock, enter
):
    tokens = rp.sign_in(browser)
    assert tokens.refresh_token
    thief = Browser(browser.client.application, address="198.51.100.66")
    for _ in range(6):
        locked = enter(thief, password=WRONG)
    assert locked.status == 429
    again = build_app(sqlite_url, clock)
    client = browser.client
    browser.client = again.test_client()
    browser.client._cookies = client._cookies
    thief.client = again.test_client()
    assert enter(thief, password=WRONG).status == 429
    assert browser.get("/account/security").status == 200
    restarted = Service(again)
    assert restarted.userinfo(tokens.access_token).status == 200
    assert restarted.refresh(tokens.refresh_token).status == 200
    assert restarted.redeem("x").error == (400, "invalid_grant")


def test_ft_01_the_keys_stay_readable_and_it_comes_back_by_itself(app, rp, browser, session_id):
    token = rp.sign_in(browser).access_token
    keys = browser.get("/jwks").text
    with unreachable(app):
        for path in ("/login", "/account/profile", "/authorize?client_id=rp", "/staff/"):
            page = browser.get(path)
            assert (page.status, page.headers["Retry-After"]) == (503, "10"), path
        assert browser.get("/jwks").text == keys
        assert browser.get("/.well-known/openid-configuration").status == 200
        assert browser.get("/health/live").status == 200
        assert browser.get("/health/ready").status == 503
    assert browser.get("/account/profile").status == 200
    assert rp.userinfo(token).status == 200


class CountingHasher:
    """The real hasher, and how often it was asked."""

    def __init__(self, hasher):
        self.hasher = hasher
        self.calls = 0

    def __getattr__(self, name):
        found = getattr(self.hasher, name)
        if name in {"hash", "verify", "verify_dummy"}:
            self.calls += 1
        return found


@pytest.mark.parametrize("state", ["known", "unknown", "no password"])
def test_en_02_every_failure_costs_one_hash(app, enter, mother, sessions, state):
    from dataclasses import replace

    if state == "no password":
        with sessions.begin() as db:
            db.delete(db.get(PasswordCredential, mother.id))
    counting = CountingHasher(app.extensions[SERVICES].hasher)
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], hasher=counting)
    login_id = "nobody.sakura@example.jp" if state == "unknown" else mother.login_id
    assert enter(Browser(app), login_id, WRONG).status == 422
    assert counting.calls == 1


def test_tn_08_the_console_ends_after_a_quarter_of_an_hour(roles, clock):
    from datetime import timedelta

    assert roles["clerk"].get("/staff/").status == 200
    clock.advance(timedelta(minutes=14))
    assert roles["clerk"].get("/staff/").status == 200
    clock.advance(timedelta(minutes=15, seconds=1))
    page = roles["clerk"].get("/staff/")
    assert (page.status, page.location.partition("?")[0]) == (303, "/staff/login")


def test_lg_07_the_libraries_are_new_enough():
    from importlib.metadata import version

    def parts(name):
        return tuple(int(part) for part in version(name).split(".")[:3] if part.isdigit())

    assert parts("Authlib") >= (1, 9, 9)
    assert parts("joserfc") >= (1, 8)
    assert parts("Flask") >= (3, 1, 3)


def test_lg_02_a_broken_request_is_logged_in_one_line(app, browser, town, caplog):
    def fail():
        raise BrokenError("line one\nline two: secret-in-a-message")

    app.view_functions["signin_login.show_login"] = _guarded(fail, app)
    assert browser.get("/login").status == 500
    [record] = [each for each in caplog.records if "request.failed" in each.getMessage()]
    assert "\n" not in record.getMessage()
    assert record.exc_info is None
    assert "secret-in-a-message" not in caplog.text


def _guarded(view, app):
    view.guard = app.view_functions["signin_login.show_login"].guard
    return view


def test_pk_02_a_confidential_client_needs_a_challenge_too(rp, browser, session_id):
    page = rp.authorize(browser, code_challenge=None, code_challenge_method=None)
    assert page.status == 303
    assert "error=invalid_request" in page.location
    assert "code=" not in page.location.replace("error_description", "")
