"""Access tokens: accepted only as what they are, and dead at once when their grant is."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import update

from idp.base.secret import from_base64url, to_base64url
from idp.domain.grants.access_tokens import (
    LiveToken,
    TokenRefusal,
    check_access_token,
    deny_token,
)
from idp.domain.grants.authorization_codes import PresentedCode, redeem_code
from idp.domain.grants.client_registry import disable_client
from idp.domain.grants.clients import find_client
from idp.domain.grants.keys import load_keys
from idp.domain.grants.own_tokens import sign
from idp.domain.grants.standing import Void
from idp.domain.grants.token_families import revoke_family
from idp.domain.upkeep.audit import SYSTEM
from idp.model.grants import SigningKey
from idp.oauth.provider import Provider
from idp.oauth.tokens import Granted, prepare_client_token, prepare_tokens
from tests.domain.grants.conftest import CALLBACK, VERIFIER

ISSUER = "https://id.example"


def provider(world):
    return Provider(issuer=ISSUER, keys=world.keys)


@pytest.fixture
def issued(world):
    return issue(world)


def issue(world):
    """Tokens of the mother for booking, as the token endpoint gives them."""
    family = world.do(
        redeem_code, PresentedCode(world.authorize(), "booking", CALLBACK, VERIFIER), now=world.now
    )
    client = world.do(find_client, "booking")
    granted = Granted(client=client, family=family, scope=family.scope, refresh_token=None)
    tokens = world.do(prepare_tokens, granted, provider=provider(world), now=world.now)
    return family, tokens.sign()


def check(world, token):
    return world.do(check_access_token, token, issuer=ISSUER, keys=world.keys, now=world.now)


def forge(world, changes=None, header=None, alg="ES256"):
    """Sign claims with our own key: what only a mistake of ours could make."""
    keys = world.do(load_keys, keys=world.keys, now=world.now)
    now = int(world.now.timestamp())
    claims = {
        "iss": ISSUER,
        "sub": "x",
        "aud": ISSUER,
        "client_id": "booking",
        "scope": "openid",
        "jti": "x",
        "iat": now,
        "exp": now + 300,
    }
    claims |= changes or {}
    claims = {name: value for name, value in claims.items() if value is not None}
    kind = (header or {}).get("typ", "at+jwt")
    return sign(claims, keys.signer(alg), kind=kind)


def test_a_fresh_token_is_live(world, issued):
    family, body = issued
    live = check(world, body["access_token"])
    assert isinstance(live, LiveToken)
    assert (live.client_id, live.scope, live.family.id) == ("booking", "openid profile", family.id)
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)


def test_two_tokens_of_one_second_differ(world):
    client = world.do(find_client, "booking")
    bodies = [
        world.do(
            prepare_client_token, client, "profile", provider=provider(world), now=world.now
        ).sign()["access_token"]
        for _ in range(2)
    ]
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize(("seconds", "is_live"), [(299, True), (300, False), (301, False)])
def test_it_lives_five_minutes(world, issued, seconds, is_live):
    world.clock.advance(timedelta(seconds=seconds))
    outcome = check(world, issued[1]["access_token"])
    assert isinstance(outcome, LiveToken) == is_live


def test_rt_06_a_revoked_family_kills_it_at_once(world, issued):
    family, body = issued
    world.do(revoke_family, family.id, "test", now=world.now)
    assert check(world, body["access_token"]) is Void.REVOKED


def test_one_token_can_be_denied_and_twice_is_harmless(world, issued):
    live = check(world, issued[1]["access_token"])
    for _ in range(2):
        world.do(deny_token, live)
    assert check(world, issued[1]["access_token"]) is TokenRefusal.DENIED


def test_a_disabled_client_loses_its_tokens(world, issued):
    world.do(disable_client, "booking", actor=SYSTEM, now=world.now)
    assert check(world, issued[1]["access_token"]) in (TokenRefusal.CLIENT, Void.REVOKED)


def test_a_clients_own_token_dies_with_the_client(world):
    client = world.do(find_client, "booking")
    tokens = world.do(
        prepare_client_token, client, "profile", provider=provider(world), now=world.now
    )
    token = tokens.sign()["access_token"]
    live = check(world, token)
    assert (live.subject, live.family) == ("booking", None)
    world.do(disable_client, "booking", actor=SYSTEM, now=world.now)
    assert check(world, token) is TokenRefusal.CLIENT


def test_jw_07_an_id_token_is_no_access_token(world, issued):
    assert check(world, issued[1]["id_token"]) is TokenRefusal.WRONG_KIND


@pytest.mark.parametrize("kind", ["JWT", "logout+jwt", "AT+JWT", ""])
def test_jw_07_only_its_own_type_is_accepted(world, kind):
    assert check(world, forge(world, header={"typ": kind})) is TokenRefusal.WRONG_KIND


@pytest.mark.parametrize("issuer", [ISSUER + "/", "https://evil.example", None, 5])
def test_jw_09_another_issuer_is_refused(world, issuer):
    assert check(world, forge(world, {"iss": issuer})) is TokenRefusal.WRONG_KIND


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "2099-01-01"},
        {"exp": True},
        {"exp": -1},
        {"exp": 1e300},
        {"exp": 1},
        {"nbf": 4102444800},
        {"nbf": "now"},
        {"iat": 4102444800},
    ],
)
def test_jw_08_times_that_are_none_are_refused(world, changes):
    assert check(world, forge(world, changes)) is TokenRefusal.NOT_CURRENT


@pytest.mark.parametrize("jti", ["x", "", "A" * 43, "!!", "日本"])
def test_a_jti_that_leads_nowhere_is_refused(world, jti):
    outcome = check(world, forge(world, {"jti": jti, "client_id": "nobody"}))
    assert outcome is TokenRefusal.UNKNOWN


def test_jw_01_unsigned_tokens_are_refused(world, issued):
    head, body, _ = issued[1]["access_token"].split(".")
    header = json.loads(from_base64url(head))
    for alg in ("none", "None", "NONE", None, ["ES256"]):
        forged = to_base64url(json.dumps(header | {"alg": alg}).encode())
        for signature in ("", "AAAA"):
            assert check(world, f"{forged}.{body}.{signature}") is TokenRefusal.NOT_OURS


def test_jw_02_a_symmetric_signature_with_our_public_key_is_refused(world, issued):
    head, body, _ = issued[1]["access_token"].split(".")
    kid = json.loads(from_base64url(head))["kid"]
    with world.sessions() as db:
        public = db.get(SigningKey, kid).public_jwk
    pem = ECKey.import_key(public).as_pem(private=False)
    header = {"alg": "HS256", "kid": kid, "typ": "at+jwt"}
    for secret in (pem, json.dumps(public).encode()):
        signed = f"{to_base64url(json.dumps(header).encode())}.{body}"
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert check(world, f"{signed}.{to_base64url(signature)}") is TokenRefusal.NOT_OURS


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_jw_03_a_key_in_the_header_is_never_used(world, issued, name):
    stranger = ECKey.generate_key("P-256", auto_kid=True)
    claims = json.loads(from_base64url(issued[1]["access_token"].split(".")[1]))
    value = {
        "jwk": stranger.as_dict(private=False),
        "x5c": ["MIIB"],
    }.get(name, "https://evil.example/jwks")
    for kid in (
        stranger.kid,
        json.loads(from_base64url(issued[1]["access_token"].split(".")[0]))["kid"],
    ):
        header = {"alg": "ES256", "kid": kid, "typ": "at+jwt", name: value}
        head = to_base64url(json.dumps(header).encode())
        token = f"{head}.{to_base64url(json.dumps(claims).encode())}.{'A' * 86}"
        assert check(world, token) is TokenRefusal.NOT_OURS


@pytest.mark.parametrize("kid", ["unknown", "../../dev/null", "' OR 1=1--", "k" * 10_000, 5, ["a"]])
def test_jw_04_a_strange_kid_is_refused(world, issued, kid):
    _, body, signature = issued[1]["access_token"].split(".")
    head = to_base64url(json.dumps({"alg": "ES256", "kid": kid, "typ": "at+jwt"}).encode())
    assert check(world, f"{head}.{body}.{signature}") is TokenRefusal.NOT_OURS


def test_jw_05_an_unknown_critical_header_is_refused(world, issued):
    head, body, signature = issued[1]["access_token"].split(".")
    header = json.loads(from_base64url(head)) | {"crit": ["x"], "x": 1}
    forged = to_base64url(json.dumps(header).encode())
    assert check(world, f"{forged}.{body}.{signature}") is TokenRefusal.NOT_OURS


def test_jw_06_oversize_is_refused_before_anything_is_parsed(world, issued):
    head, body, signature = issued[1]["access_token"].split(".")
    big = "A" * 10_000_000
    for token in (
        f"{big}.{body}.{signature}",
        f"{head}.{big}.{signature}",
        f"{head}.{body}.{big}",
        f"{head}..{signature}.{body}.x",
    ):
        assert check(world, token) is TokenRefusal.NOT_OURS


def test_a_changed_signature_is_refused(world, issued):
    token = issued[1]["access_token"]
    changed = token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:]
    assert check(world, changed) is TokenRefusal.NOT_OURS


def test_a_session_that_ended_in_the_database_kills_the_token(world, issued):
    from idp.model.signin import BrowserSession

    world.do(lambda db: db.execute(update(BrowserSession).values(ended_at=world.now)))
    assert check(world, issued[1]["access_token"]) is Void.SESSION


@pytest.mark.parametrize(("seconds", "is_live"), [(-61, False), (-60, True), (299, True)])
def test_kt_04_a_machine_whose_clock_is_behind_accepts_it(world, seconds, is_live):
    world.clock.advance(timedelta(minutes=5))
    token = issue(world)[1]["access_token"]
    world.clock.advance(timedelta(seconds=seconds))
    assert isinstance(check(world, token), LiveToken) == is_live
