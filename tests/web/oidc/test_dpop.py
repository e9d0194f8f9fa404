"""Tokens bound to a key, over HTTP (RFC 9449, FAPI 2.0)."""

import json
import secrets
import uuid
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey, RSAKey

from idp.base.secret import to_base64url
from idp.domain.grants.jose import PROOF_REGISTRIES
from idp.protocol.dpop import thumbprint, token_hash
from tests.web.applications import ORIGIN, build_app
from tests.web.oidc.conftest import CALLBACK, VERIFIER
from tests.web.oidc.fapi import DPOP_KEY, OTHER_DPOP_KEY, OTHER_KEY, make_service

RSA = RSAKey.generate_key(4096)
ED = OKPKey.generate_key("Ed25519")


@pytest.fixture
def fapi(app, world, sessions, clock):
    return make_service(app, sessions, clock, grant_types=["authorization_code", "refresh_token"])


def proof(clock, path, key=DPOP_KEY, alg="ES256", header=None, registry=None, **changes):
    claims = {
        "htm": "POST",
        "htu": ORIGIN + path,
        "jti": secrets.token_urlsafe(16),
        "iat": int(clock().timestamp()),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    head = {"typ": "dpop+jwt", "alg": alg, "jwk": key.as_dict(private=False)} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    return {"DPoP": jwt.encode(head, claims, key, registry=registry or PROOF_REGISTRIES[alg])}


def look(service, clock, token, *, scheme="DPoP", headers=None, **changes):
    """Ask UserInfo with a proof of the moment."""
    facts = {"htm": "GET", "ath": token_hash(token)} | changes
    found = proof(clock, "/userinfo", **facts) if headers is None else headers
    return service.http.get(
        "/userinfo", headers={"Authorization": f"{scheme} {token}"} | found, base_url=ORIGIN
    )


def exchange(service, code, headers):
    return service.call(
        "/token",
        headers=headers,
        client_id=service.client_id,
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
    )


def test_fapi2_happy_flow_gives_a_token_bound_to_the_key(fapi, clock, browser, session_id):
    tokens = fapi.redeem(fapi.code(browser))
    assert tokens.token_type == "DPoP"
    bound = {"jkt": thumbprint(DPOP_KEY.as_dict(private=False))}
    assert tokens.claims("access_token")["cnf"] == bound
    answer = look(fapi, clock, tokens.access_token)
    assert answer.status_code == 200
    assert answer.get_json(force=True)["sub"] == tokens.claims()["sub"]
    seen = fapi.introspect(tokens.access_token)
    assert (seen["token_type"], seen["cnf"]) == ("DPoP", bound)


@pytest.mark.parametrize("scheme", ["dpop", "DPOP", "DpOp"])
def test_fapi2_access_token_type_header_case_sensitivity(fapi, clock, browser, session_id, scheme):
    token = fapi.redeem(fapi.code(browser)).access_token
    assert look(fapi, clock, token, scheme=scheme).status_code == 200


@pytest.mark.parametrize(("alg", "key"), [("PS256", RSA), ("EdDSA", ED)])
def test_a_proof_may_use_every_published_algorithm(fapi, clock, browser, session_id, alg, key):
    code = fapi.code(browser)
    tokens = exchange(fapi, code, proof(clock, "/token", key, alg))
    assert tokens.token_type == "DPoP"


def test_fapi2_ensure_holder_of_key_required(fapi, clock, browser, session_id):
    code = fapi.code(browser)
    assert exchange(fapi, code, {}).error == (400, "invalid_dpop_proof")
    assert fapi.redeem(code).status == 200


@pytest.mark.parametrize("seconds", [-10, 10])
def test_fapi2_ensure_dpopproof_with_iat_10_seconds_before_and_after_succeeds(
    fapi, clock, browser, session_id, seconds
):
    moment = int(clock().timestamp()) + seconds
    tokens = exchange(fapi, fapi.code(browser), proof(clock, "/token", iat=moment))
    assert tokens.status == 200
    assert look(fapi, clock, tokens.access_token, iat=moment).status_code == 200


def test_fapi2_check_dpop_proof_nbf_exp(fapi, clock, browser, session_id):
    moment = int(clock().timestamp())
    times = {"nbf": moment, "exp": moment + 300}
    tokens = exchange(fapi, fapi.code(browser), proof(clock, "/token", **times))
    assert tokens.status == 200
    assert look(fapi, clock, tokens.access_token, **times).status_code == 200
    assert look(fapi, clock, tokens.access_token, exp=moment - 90).status_code == 401
    assert look(fapi, clock, tokens.access_token, nbf=moment + 90).status_code == 401


def test_fapi2_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(
    fapi, clock, browser, session_id
):
    code = fapi.code(browser, dpop_jkt=thumbprint(DPOP_KEY.as_dict(private=False)))
    assert fapi.redeem(code, key=OTHER_DPOP_KEY).error == (400, "invalid_grant")
    assert fapi.redeem(code).status == 200


def test_fapi2_refresh_token_does_not_rotate_and_takes_a_fresh_key(
    fapi, app, sessions, clock, browser, session_id, later
):
    tokens = fapi.redeem(fapi.code(browser))
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    for key in (DPOP_KEY, OTHER_DPOP_KEY):
        later(seconds=30)
        again = fapi.call("/token", headers=proof(clock, "/token", key), **form)
        assert again.token_type == "DPoP"
        assert "refresh_token" not in again.body
    assert fapi.call("/token", **form).error == (400, "invalid_dpop_proof")
    second = make_service(
        app,
        sessions,
        clock,
        "second",
        OTHER_KEY,
        grant_types=["authorization_code", "refresh_token"],
    )
    stolen = second.call("/token", headers=proof(clock, "/token"), **form)
    assert stolen.error == (400, "invalid_grant")


def test_rt_01_a_public_clients_refresh_token_is_bound_to_its_key(spa, clock, browser, session_id):
    tokens = exchange(spa, spa.code(browser), proof(clock, "/token"))
    assert tokens.token_type == "DPoP"
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    for headers in ({}, proof(clock, "/token", OTHER_DPOP_KEY)):
        assert spa.call("/token", headers=headers, client_id="spa", **form).error == (
            400,
            "invalid_grant",
        )
    again = spa.call("/token", headers=proof(clock, "/token"), client_id="spa", **form)
    assert again.status == 200
    assert again.refresh_token != tokens.refresh_token


def negative_cases(clock, token):
    """Return what is changed in an otherwise right proof (dpop-negative-tests)."""
    now = int(clock().timestamp())
    private = DPOP_KEY.as_dict(private=True)
    return {
        "no jti": {"jti": None},
        "no htm": {"htm": None},
        "no htu": {"htu": None},
        "no iat": {"iat": None},
        "no ath": {"ath": None},
        "other htm": {"htm": "POST"},
        "other htu": {"htu": ORIGIN + "/token"},
        "hour old": {"iat": now - 3600},
        "hour ahead": {"iat": now + 3600},
        "other ath": {"ath": token_hash(token + "x")},
        "other key": {"key": OTHER_DPOP_KEY},
        "no typ": {"header": {"typ": "JWT"}},
        "no jwk": {"header": {"jwk": None}},
        "private": {"header": {"jwk": private}},
        "foreign jwk": {"header": {"jwk": OTHER_DPOP_KEY.as_dict(private=False)}},
    }


def test_fapi2_dpop_negative_tests(fapi, clock, browser, session_id):
    token = fapi.redeem(fapi.code(browser)).access_token
    for name, changes in negative_cases(clock, token).items():
        answer = look(fapi, clock, token, **changes)
        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"].startswith("DPoP "), name
        assert 'algs="ES256 PS256 EdDSA"' in answer.headers["WWW-Authenticate"], name
    good = proof(clock, "/userinfo", htm="GET", ath=token_hash(token))["DPoP"]
    head, body, signature = good.split(".")
    jwk = DPOP_KEY.as_dict(private=False)
    for alg in ("none", "RS256", "HS256"):
        odd = to_base64url(json.dumps({"typ": "dpop+jwt", "alg": alg, "jwk": jwk}).encode())
        assert look(fapi, clock, token, headers={"DPoP": f"{odd}.{body}."}).status_code == 401
    forged = f"{head}.{body}.{signature[::-1]}"
    for text in (forged, "x", "", f"{good},{good}", "a.b.c"):
        assert look(fapi, clock, token, headers={"DPoP": text}).status_code == 401
    assert look(fapi, clock, token, headers={}).status_code == 401


def test_fapi2_dpop_negative_tests_a_bound_token_is_no_bearer_token(
    fapi, clock, browser, session_id
):
    token = fapi.redeem(fapi.code(browser)).access_token
    answer = fapi.userinfo(token)
    assert answer.error == (401, "invalid_token")
    assert answer.response.headers["WWW-Authenticate"].startswith("DPoP ")
    by_body = fapi.http.post("/userinfo", data={"access_token": token}, base_url=ORIGIN)
    assert by_body.status_code == 401
    by_query = fapi.http.get(f"/userinfo?access_token={token}", base_url=ORIGIN)
    assert by_query.status_code == 401


def test_a_bearer_token_with_a_proof_is_refused(rp, clock, browser, session_id):
    token = rp.sign_in(browser).access_token
    assert look(rp, clock, token).status_code == 401


def test_fapi2_dpop_negative_tests_what_must_be_accepted(fapi, clock, browser, session_id):
    token = fapi.redeem(fapi.code(browser)).access_token
    host = ORIGIN.removeprefix("https://")
    for htu in (
        f"{ORIGIN}/userinfo?x=1",
        f"{ORIGIN}/userinfo#x",
        f"HTTPS://{host.upper()}/userinfo",
        f"{ORIGIN}:443/userinfo",
    ):
        assert look(fapi, clock, token, htu=htu).status_code == 200, htu
    assert look(fapi, clock, token, extra="claim").status_code == 200


def test_a_proof_works_once(fapi, clock, browser, session_id):
    token = fapi.redeem(fapi.code(browser)).access_token
    headers = proof(clock, "/userinfo", htm="GET", ath=token_hash(token))
    assert look(fapi, clock, token, headers=headers).status_code == 200
    assert look(fapi, clock, token, headers=headers).status_code == 401
    headers, code = proof(clock, "/token"), fapi.code(browser)
    assert exchange(fapi, code, headers).status == 200
    assert exchange(fapi, fapi.code(browser), headers).error == (400, "invalid_dpop_proof")


def test_the_id_of_an_exchange_is_given_back_if_it_is_one(rp, browser, session_id):
    token, sent = rp.sign_in(browser).access_token, str(uuid.uuid4())
    name = "x-fapi-interaction-id"
    assert rp.userinfo(token, **{name: sent}).response.headers[name] == sent
    assert name not in rp.userinfo(token, **{name: "no uuid"}).response.headers


def test_nonces_are_asked_for_where_the_settings_say_so(
    sqlite_url, clock, world, sessions, browser, session_id
):
    app = build_app(sqlite_url, clock, tokens={"require_dpop_nonce": True})
    service = make_service(app, sessions, clock)
    code = service.code(browser)
    refused = exchange(service, code, proof(clock, "/token"))
    assert refused.error == (400, "use_dpop_nonce")
    nonce = refused.response.headers["DPoP-Nonce"]
    tokens = exchange(service, code, proof(clock, "/token", nonce=nonce))
    assert tokens.status == 200
    assert tokens.response.headers["DPoP-Nonce"] == nonce
    wanted = look(service, clock, tokens.access_token)
    assert wanted.status_code == 401
    assert 'error="use_dpop_nonce"' in wanted.headers["WWW-Authenticate"]
    assert wanted.headers["DPoP-Nonce"] == nonce
    assert look(service, clock, tokens.access_token, nonce=nonce).status_code == 200
    clock.advance(timedelta(minutes=11))
    assert exchange(service, code, proof(clock, "/token", nonce=nonce)).error[1] == "use_dpop_nonce"
