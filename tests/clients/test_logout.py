"""Signing out: here, at the provider, and when the provider says so."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from clients.booking.site import create_app
from clients.kit.logout_token import LogoutTokenError, check_logout_token
from tests.clients.provider import EVENT, new_key
from tests.clients.visitor import BASE_URL, Visitor, family, path_of


def end(visitor, token, **arguments):
    return visitor.client.post(
        "/backchannel-logout", data={"logout_token": token}, base_url=BASE_URL, **arguments
    )


def is_signed_in(visitor):
    return visitor.get("/bookings").status_code == 200


def test_signing_out_ends_here_and_goes_to_the_provider(visitor, provider):
    visitor.sign_in(family())
    old = visitor.cookie("visit")
    away = visitor.post("/logout")
    assert away.status_code == 303
    url, asked = urlsplit(away.location), parse_qs(urlsplit(away.location).query)
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{provider.issuer}/end_session"
    assert asked["post_logout_redirect_uri"] == [f"{BASE_URL}/signed-out"]
    assert asked["client_id"] == [provider.client_id]
    assert asked["id_token_hint"][0].count(".") == 2
    assert visitor.cookie("visit").value != old.value
    assert not is_signed_in(visitor)
    visitor.get(f"/signed-out?state={asked['state'][0]}")
    assert "ログアウトしました" in visitor.text()
    assert visitor.cookie("visit") is None


def test_the_old_cookie_is_dead(booking, visitor, provider):
    visitor.sign_in(family())
    old = visitor.cookie("visit")
    visitor.post("/logout")
    thief = Visitor(booking, provider)
    thief.client.set_cookie(old.key, old.value, domain="127.0.0.1")
    assert not is_signed_in(thief)


def test_without_the_provider_s_answer_only_this_service_is_over(visitor):
    visitor.get("/signed-out?state=guessed")
    assert "このサービスからログアウトしました" in visitor.text()


def test_who_is_signed_in_is_not_told_otherwise(visitor):
    visitor.sign_in(family())
    assert visitor.get("/signed-out").location == "/"


def test_signing_out_works_while_the_provider_is_down(settings, rules, provider, clock, tmp_path):
    visitor = Visitor(create_app(settings, rules, clock=clock), provider)
    visitor.sign_in(family())
    provider.wrong["down"] = True
    again = Visitor(create_app(settings, rules, clock=clock), provider)
    again.client._cookies.update(visitor.client._cookies)
    again.get("/bookings")
    assert again.post("/logout").location == "/signed-out"
    assert not is_signed_in(again)


@pytest.mark.parametrize("token", [None, "wrong"])
def test_signing_out_needs_the_form(visitor, token):
    visitor.sign_in(family())
    data = {} if token is None else {"csrf_token": token}
    page = visitor.client.post("/logout", data=data, base_url=BASE_URL)
    assert page.status_code == 403
    assert is_signed_in(visitor)


def test_a_logout_token_ends_the_session_it_names(booking, visitor, provider, clock):
    visitor.sign_in(family())
    other = Visitor(booking, provider)
    provider.sid = "session-2"
    other.sign_in(family())
    answer = end(visitor, provider.logout_token(clock()))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not is_signed_in(other)
    assert is_signed_in(visitor)


def test_a_logout_token_without_a_session_ends_all_of_the_person(booking, visitor, provider, clock):
    visitor.sign_in(family())
    provider.sid = "session-2"
    other, stranger = Visitor(booking, provider), Visitor(booking, provider)
    other.sign_in(family())
    provider.sid = "session-3"
    stranger.sign_in(family(sub="aoi", household="another"))
    assert end(visitor, provider.logout_token(clock(), sid=None, sub="misaki")).status_code == 200
    assert not is_signed_in(visitor)
    assert not is_signed_in(other)
    assert is_signed_in(stranger)


def test_session_and_person_must_fit_together(visitor, provider, clock):
    visitor.sign_in(family())
    assert end(visitor, provider.logout_token(clock(), sub="somebody else")).status_code == 200
    assert is_signed_in(visitor)


def test_a_logout_token_works_once(visitor, provider, clock):
    visitor.sign_in(family())
    token = provider.logout_token(clock())
    assert end(visitor, token).status_code == 200
    again = end(visitor, token)
    assert again.status_code == 400
    assert again.headers["Cache-Control"] == "no-store"


def test_a_sign_in_that_the_logout_overtook_stays_out(visitor, provider, clock):
    provider.person = family()
    answer = visitor.go_to_provider("/bookings")
    assert end(visitor, provider.logout_token(clock())).status_code == 200
    assert path_of(visitor.get(answer).location) == "/signed-out"
    assert not is_signed_in(visitor)


def test_a_key_nobody_knows_is_asked_for_but_not_again_and_again(visitor, provider, clock):
    visitor.sign_in(family())
    provider.keys.append(new_key("key-2"))
    assert end(visitor, provider.logout_token(clock())).status_code == 200
    fetched = provider.asked.count("jwks")
    for _ in range(5):
        forged = provider.logout_token(clock(), key=new_key("forged"))
        assert end(visitor, forged).status_code == 400
    assert provider.asked.count("jwks") == fetched


def test_keys_that_cannot_be_fetched_are_no_refusal(visitor, provider, clock):
    """503 tells the provider to try again; 400 would tell it to stop."""
    provider.wrong["down"] = True
    assert end(visitor, provider.logout_token(clock())).status_code == 503


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("typ", {"typ": "JWT"}),
        ("typ", {"typ": "at+jwt"}),
        ("typ", {"typ": None}),
        ("iss", {"iss": "https://another.example"}),
        ("iss", {"iss": None}),
        ("aud", {"aud": "another"}),
        ("aud", {"aud": ["another"]}),
        ("aud", {"aud": None}),
        ("iat", {"iat": None}),
        ("iat", {"iat": True}),
        ("iat", {"iat": "now"}),
        ("exp", {"exp": None}),
        ("exp", {"exp": 1e300}),
        ("events", {"events": None}),
        ("events", {"events": {}}),
        ("events", {"events": [EVENT]}),
        ("events", {"events": {EVENT: True}}),
        ("nonce", {"nonce": "a"}),
        ("nonce", {"nonce": ""}),
        ("sid_and_sub", {"sid": None, "sub": None}),
        ("sid", {"sid": 1}),
        ("sub", {"sub": ""}),
        ("jti", {"jti": None}),
    ],
    ids=str,
)
def test_a_wrong_logout_token_changes_nothing(visitor, provider, clock, reason, changes):
    visitor.sign_in(family())
    token = provider.logout_token(clock(), **changes)
    answer = end(visitor, token)
    assert answer.status_code == 400
    assert answer.json == {"error": "invalid_request"}
    assert is_signed_in(visitor)
    with pytest.raises(LogoutTokenError, match=f"^{reason}$"):
        check(provider, token, clock())


def check(provider, token, now):
    return check_logout_token(
        token,
        lambda _renew: KeySet(provider.keys),
        issuer=provider.issuer,
        client_id=provider.client_id,
        now=now,
    )


@pytest.mark.parametrize("typ", ["logout+jwt", "LOGOUT+JWT", "application/logout+jwt"])
def test_the_type_may_be_written_in_every_way_the_standard_allows(provider, clock, typ):
    assert check(provider, provider.logout_token(clock(), typ=typ), clock()).sid == provider.sid


def test_the_times_of_a_logout_token_have_one_minute_of_leeway(provider, clock):
    now = clock()
    token = provider.logout_token(now)
    ends = now.replace(microsecond=0) + timedelta(seconds=120 + 60)
    assert check(provider, token, ends - timedelta(seconds=1))
    with pytest.raises(LogoutTokenError, match="exp"):
        check(provider, token, ends)
    assert check(provider, token, now - timedelta(seconds=60))
    with pytest.raises(LogoutTokenError, match="iat"):
        check(provider, token, now - timedelta(seconds=61))


@pytest.mark.parametrize("token", ["", "a.b.c", "not a token", "ä.ö.ü", "." * 3000])
def test_garbage_is_refused(visitor, token):
    assert end(visitor, token).status_code == 400


def test_an_unsigned_or_home_made_token_is_refused(visitor, provider, clock):
    now = int(clock().timestamp())
    claims = {"iss": provider.issuer, "aud": provider.client_id, "iat": now, "exp": now + 60}
    claims |= {"jti": "1", "events": {EVENT: {}}, "sid": provider.sid}
    secret = OctKey.import_key(provider.client_secret + " long enough for a key of its own")
    forged = jwt.encode({"alg": "HS256", "typ": "logout+jwt", "kid": "key-1"}, claims, secret)
    assert end(visitor, forged).status_code == 400
    unsigned = forged.rsplit(".", 1)[0].replace("SFMyNTY", "bm9uZSI") + "."
    assert end(visitor, unsigned).status_code == 400


def test_exactly_one_token_is_expected(visitor, provider, clock):
    tokens = [provider.logout_token(clock()), provider.logout_token(clock())]
    for sent in ({}, {"logout_token": tokens}):
        answer = visitor.client.post("/backchannel-logout", data=sent, base_url=BASE_URL)
        assert answer.status_code == 400


def test_a_token_in_the_address_is_not_looked_at(visitor, provider, clock):
    token = provider.logout_token(clock())
    answer = visitor.client.post(f"/backchannel-logout?logout_token={token}", base_url=BASE_URL)
    assert answer.status_code == 400
    assert visitor.client.get("/backchannel-logout", base_url=BASE_URL).status_code == 405
