"""Modules of the Basic plan (protocol.md 2.1) that look at the authorization request."""

from urllib.parse import urlencode

import pytest

from tests.web.oidc.conftest import answer_of
from tests.web.oidc.test_authorize import assert_error, assert_shown


def names(page):
    """Where the forms of a page lead."""
    return [form.action for form in page.forms]


def test_oidcc_response_type_missing(rp, browser):
    assert_error(rp.authorize(browser, response_type=None), "invalid_request")


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(rp, browser, session_id):
    tokens = rp.sign_in(browser, nonce=None)
    assert "nonce" not in tokens.claims()


def test_oidcc_alternate_happy_flow(rp, browser, session_id):
    params = rp.params(scope="email profile openid")
    query = urlencode(sorted(params.items(), reverse=True))
    code = answer_of(browser.get(f"/authorize?{query}").arrive())["code"]
    assert rp.redeem(code).status == 200


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap", "hologram"])
def test_oidcc_display(rp, browser, session_id, display):
    assert "code" in answer_of(rp.authorize(browser, display=display))


def test_oidcc_prompt_login(rp, browser, session_id):
    assert rp.sign_in(browser).status == 200
    page = rp.authorize(browser, prompt="login")
    assert any(action.startswith("/login") for action in names(page))


def test_oidcc_prompt_none_not_logged_in(rp, browser):
    state = "s" * 128
    page = rp.authorize(browser, prompt="none", state=state)
    assert_error(page, "login_required", state=state)


def test_oidcc_prompt_none_logged_in(rp, browser, session_id, later):
    first = rp.sign_in(browser).claims()
    later(seconds=5)
    second = rp.sign_in(browser, prompt="none").claims()
    assert (first["sub"], first["auth_time"]) == (second["sub"], second["auth_time"])


def test_oidcc_max_age_1(rp, browser, session_id, later):
    later(seconds=2)
    page = rp.authorize(browser, max_age="1")
    assert any(action.startswith("/login") for action in names(page))


def test_oidcc_max_age_10000(rp, browser, session_id):
    first = rp.sign_in(browser, max_age="15000").claims()
    second = rp.sign_in(browser, max_age="10000").claims()
    assert first["auth_time"] == second["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(rp, browser, session_id):
    assert "code" in answer_of(rp.authorize(browser, extra="foobar"))


def test_oidcc_id_token_hint(rp, browser, session_id):
    hint = rp.sign_in(browser).id_token
    assert "code" in answer_of(rp.authorize(browser, prompt="none", id_token_hint=hint))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("login_hint", "misaki.sakura@example.jp"),
        ("login_hint", "nobody@example.jp"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("claims_locales", "ja en"),
    ],
)
def test_oidcc_login_hint_ui_locales_and_claims_locales(rp, browser, session_id, name, value):
    assert "code" in answer_of(rp.authorize(browser, **{name: value}))


def test_oidcc_ensure_request_with_acr_values_succeeds(rp, browser, session_id, app):
    known = app.test_client().get("/.well-known/openid-configuration", base_url=browser.origin)
    values = known.get_json()["acr_values_supported"]
    tokens = rp.sign_in(browser, acr_values=" ".join(values))
    assert tokens.claims()["acr"] in values


def test_oidcc_ensure_registered_redirect_uri(rp, browser):
    assert_shown(rp.authorize(browser, redirect_uri="https://rp.example/callback/xYz"))


def test_oidcc_ensure_post_request_succeeds(rp, browser, session_id):
    page = browser.post("/authorize", rp.params(), Origin="https://rp.example")
    assert "code" in answer_of(page.arrive())


def test_oidcc_claims_essential(rp, browser, session_id):
    tokens = rp.sign_in(browser, claims='{"userinfo":{"name":{"essential":true}}}')
    assert rp.userinfo(tokens.access_token).body["name"]
    assert "name" not in tokens.claims()


def test_oidcc_ensure_request_with_valid_pkce_succeeds(rp, browser, session_id):
    assert rp.sign_in(browser).status == 200


def test_oidcc_unsigned_request_objects_are_not_offered(app, world, browser):
    found = app.test_client().get("/.well-known/openid-configuration", base_url=browser.origin)
    assert "none" not in found.get_json()["request_object_signing_alg_values_supported"]


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("login", "/login"),
        ("select_account", "/login"),
        ("consent", "/consent"),
        ("login consent", "/login"),
        ("consent select_account", "/login"),
    ],
)
def test_oidcc_prompt_values_and_their_combinations(rp, browser, session_id, prompt, shown):
    page = rp.authorize(browser, prompt=prompt)
    assert page.status == 200
    assert any(action.startswith(shown) for action in names(page))


@pytest.mark.parametrize("other", ["login", "consent", "select_account"])
def test_oidcc_prompt_none_stands_alone(rp, browser, session_id, other):
    assert_error(rp.authorize(browser, prompt=f"none {other}"), "invalid_request")
