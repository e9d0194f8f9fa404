"""Sign-in at the provider: the way there and back, and everything that may go wrong on it."""

from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from clients.booking.site import create_app
from clients.kit.signin import safe_path
from tests.clients.conftest import kit_of
from tests.clients.provider import new_key
from tests.clients.visitor import BASE_URL, HIYORI, Visitor, family, path_of


def test_a_page_sends_to_the_provider_and_comes_back_to_itself(visitor):
    page = visitor.sign_in(family(), "/facilities/minami")
    assert page.status_code == 200
    assert "架空みなみ保育園" in visitor.text()
    assert "佐倉 美咲 さん（代表）" in visitor.text()


def test_the_request_has_pkce_state_nonce_and_the_language(visitor, provider):
    visitor.go_to_provider("/")
    asked = provider.asked[-1]
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile household children delegation"
    assert asked["redirect_uri"] == f"{BASE_URL}/callback"
    assert asked["ui_locales"] == "ja"
    assert all(len(asked[name]) >= 20 for name in ("state", "nonce", "code_challenge"))


def test_only_offered_scopes_are_asked_for(visitor, provider):
    provider.wrong["discovery"] = {"scopes_supported": ["openid", "household"]}
    visitor.go_to_provider("/")
    assert provider.asked[-1]["scope"] == "openid household"


def test_the_visit_gets_a_new_id_at_sign_in(visitor):
    visitor.get("/login")
    before = visitor.cookie("visit").value
    visitor.sign_in(family())
    after = visitor.cookie("visit").value
    assert after != before
    assert len(after) >= 40


def test_the_id_from_before_the_sign_in_is_dead(booking, visitor, provider):
    visitor.get("/login")
    old = visitor.cookie("visit")
    visitor.sign_in(family())
    thief = Visitor(booking, provider)
    thief.client.set_cookie(old.key, old.value, domain="127.0.0.1")
    assert path_of(thief.get("/bookings").location) == "/login"


def test_an_invented_id_is_not_adopted(visitor):
    visitor.client.set_cookie("booking-visit", "invented", domain="127.0.0.1")
    visitor.get("/login")
    assert visitor.cookie("visit").value != "invented"


def test_sixty_minutes_without_a_request_end_the_visit(visitor, clock):
    visitor.sign_in(family())
    clock.advance(timedelta(minutes=59, seconds=59))
    assert visitor.get("/bookings").status_code == 200
    clock.advance(timedelta(minutes=60))
    assert path_of(visitor.get("/bookings").location) == "/login"


def test_twelve_hours_end_the_visit_whatever_happens(visitor, clock):
    visitor.sign_in(family())
    for _ in range(12):
        clock.advance(timedelta(minutes=59))
        assert visitor.get("/bookings").status_code == 200
    clock.advance(timedelta(minutes=12))
    assert path_of(visitor.get("/bookings").location) == "/login"


def test_nothing_of_the_claims_is_kept_but_what_is_needed(booking, visitor):
    visitor.sign_in(family())
    with kit_of(booking).database.read() as db:
        row = db.execute("SELECT key, claims FROM visit WHERE sub IS NOT NULL").fetchone()
    assert "example.jp" not in row["claims"]
    assert row["key"] != visitor.cookie("visit").value


@pytest.mark.parametrize(
    "wrong",
    [
        {"id_token": {"nonce": "another"}},
        {"id_token": {"nonce": None}},
        {"id_token": {"iss": "https://another.example"}},
        {"id_token": {"aud": "another client"}},
        {"id_token": {"aud": ["another client"], "azp": "a client"}},
        {"id_token": {"exp": 1_000_000_000}},
        {"id_token": {"iat": 4_000_000_000}},
        {"id_token": {"sub": None}},
        {"id_token": {"at_hash": "wrong"}},
        {"token": {"id_token": None}},
        {"token": {"id_token": "no.token.atall"}},
        {"userinfo": {"sub": "somebody else"}},
        {"userinfo": {"kosodate_household": {"id": "x", "role": "king"}}},
        {"userinfo": {"kosodate_children": [{"id": "x", "birthdate": "tomorrow"}]}},
        {"userinfo": {"kosodate_children": "none"}},
        {"answer": {"iss": "https://another.example"}},
        {"answer": {"iss": None}},
        {"answer": {"code": None}},
        {"answer": {"code": "guessed"}},
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_trusted_signs_nobody_in(visitor, provider, wrong):
    provider.wrong = wrong
    provider.person = family()
    answer = visitor.go_to_provider("/")
    page = visitor.get(answer)
    assert page.status_code == 400
    assert "ログインできませんでした" in visitor.text()
    assert path_of(visitor.get("/bookings").location) == "/login"


def test_an_id_token_signed_by_somebody_else_is_refused(visitor, provider):
    provider.person = family()
    token = provider.sign({"iss": provider.issuer}, key=new_key("key-1"))
    provider.wrong["token"] = {"id_token": token}
    assert visitor.get(visitor.go_to_provider("/")).status_code == 400


def test_a_key_rotated_in_between_is_fetched(booking, visitor, provider):
    visitor.sign_in(family())
    provider.keys.append(new_key("key-2"))
    assert Visitor(booking, provider).sign_in(family()).status_code == 200
    assert provider.asked.count("jwks") == 2


def test_a_state_works_once(visitor, provider):
    provider.person = family()
    answer = visitor.go_to_provider("/bookings")
    assert visitor.get(answer).location == "/bookings"
    assert visitor.get(answer).location == "/", "signed in already: nothing to explain"
    assert not provider.codes


def test_a_state_of_another_browser_is_refused(booking, visitor, provider):
    answer = visitor.go_to_provider("/")
    victim = Visitor(booking, provider)
    assert victim.get(answer).status_code == 400
    assert "Cookie" in victim.text()
    victim.get("/login")
    assert victim.get(answer).status_code == 400
    assert "この画面にはもどれません" in victim.text()


def test_an_errand_ends_after_an_hour(visitor, provider, clock):
    provider.person = family()
    answer = visitor.go_to_provider("/")
    clock.advance(timedelta(minutes=30))
    visitor.get("/signed-out")
    clock.advance(timedelta(minutes=29, seconds=59))
    assert visitor.get(answer).status_code == 303
    late = visitor.go_to_provider("/login")
    clock.advance(timedelta(minutes=40))
    visitor.get("/bookings")
    clock.advance(timedelta(minutes=20))
    assert visitor.get(late).location == "/", "the errand is lost, the visit is not"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("access_denied", 403, "ログインを終えました"),
        ("login_required", 403, "もう一度ログインしてください"),
        ("interaction_required", 403, "もう一度ログインしてください"),
        ("consent_required", 403, "もう一度ログインしてください"),
        ("temporarily_unavailable", 503, "ただいま使えません"),
        ("server_error", 503, "ただいま使えません"),
        ("<script>alert(1)</script>", 400, "ログインできませんでした"),
    ],
)
def test_a_refusal_of_the_provider_is_explained(visitor, provider, error, status, words):
    provider.error = error
    page = visitor.get(visitor.go_to_provider("/"))
    assert page.status_code == status
    assert words in visitor.text()
    assert "alert(1)" not in visitor.text()


@pytest.mark.parametrize("parameter", ["state", "code", "iss", "error"])
def test_a_doubled_parameter_is_refused(visitor, parameter):
    answer = visitor.go_to_provider("/")
    page = visitor.get(f"{answer}&{parameter}=a&{parameter}=b")
    assert page.status_code == 400


def test_a_provider_that_is_down_is_said_and_may_come_back(visitor, provider):
    provider.wrong["down"] = True
    assert visitor.get("/login").status_code == 503
    provider.wrong.clear()
    assert visitor.get("/login").status_code == 303


def test_a_token_endpoint_that_fails_is_said(visitor, provider):
    provider.wrong["token_status"] = 503
    assert visitor.get(visitor.go_to_provider("/")).status_code == 503


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": "http://token.example/token"},
        {"end_session_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"id_token_signing_alg_values_supported": "RS256"},
    ],
    ids=str,
)
def test_a_strange_description_of_the_provider_is_not_used(visitor, provider, discovery):
    provider.wrong["discovery"] = discovery
    assert visitor.get("/login").status_code == 503


def test_others_may_start_a_sign_in(visitor, provider):
    provider.person = family()
    target = f"{BASE_URL}/bookings"
    path = f"/login?iss={provider.issuer}&target_link_uri={target}&login_hint=misaki"
    answer = visitor.go_to_provider(path)
    assert provider.asked[-1]["login_hint"] == "misaki"
    assert visitor.get(answer).location == "/bookings"


def test_others_may_start_a_sign_in_by_post(visitor, provider):
    page = visitor.post("/login", {"iss": provider.issuer})
    assert page.status_code == 303
    assert page.location.startswith(f"{provider.issuer}/authorize?")


def test_a_sign_in_for_another_issuer_is_not_started(visitor):
    assert visitor.get("/login?iss=https://another.example").status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        f"{BASE_URL}.evil.example/",
        f"{BASE_URL}@evil.example/",
        "/a b",
        "/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/logout",
        "/login?next=/",
        "/callback",
        "/" + "a" * 600,
        "",
    ],
)
def test_the_way_on_stays_in_the_house(target):
    assert safe_path(target) == "/"
    assert safe_path(target.removeprefix(BASE_URL)) == "/"


def test_a_person_without_a_household_is_told_where_to_ask(visitor):
    person = family() | {"kosodate_household": None}
    assert visitor.sign_in(person).status_code == 403
    assert "世帯の登録が見つかりません" in visitor.text()
    assert "0000-12-3456" in visitor.text()


def test_the_account_s_language_is_used_until_another_is_chosen(visitor):
    visitor.sign_in(family() | {"locale": "en"}, "/bookings")
    assert "Your bookings" in visitor.text()
    assert visitor.get("/language?to=ja&back=/bookings").location == "/bookings"
    visitor.get("/bookings")
    assert "予約の一覧" in visitor.text()


def test_an_unknown_language_changes_nothing(visitor):
    visitor.get("/language?to=xx&back=//evil.example")
    assert visitor.page.location == "/"
    assert visitor.cookie("language") is None


def test_cookies_are_strict_on_https(settings, rules, clock, provider):
    secure = replace(settings, base_url="https://booking.kakuu.example")
    page = Visitor(create_app(secure, rules, clock=clock), provider, secure.base_url).get("/login")
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-booking-visit=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_two_applications_do_not_share_a_cookie(visitor, holder):
    visitor.get("/login")
    holder.get("/login")
    assert visitor.cookie("visit").key != holder.cookie("visit").key


def test_the_code_is_never_exchanged_with_another_verifier(visitor, provider):
    provider.person = family(children=[HIYORI])
    first = visitor.go_to_provider("/")
    second = visitor.go_to_provider("/bookings")
    code = second.split("code=")[1].split("&")[0]
    crossed = first.replace(first.split("code=")[1].split("&")[0], code)
    assert visitor.get(crossed).status_code == 400


def test_the_stand_in_is_a_real_server(provider):
    assert requests.get(f"{provider.issuer}/jwks", timeout=5).json()["keys"][0]["kid"] == "key-1"
