"""Proofs of possession and initial access tokens: once, at whichever server process they arrive."""

import json
import secrets
from datetime import timedelta

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from idp.base.secret import from_base64url
from idp.db.session import transaction
from idp.domain.grants.initial_access_tokens import TokenOrder, create_initial_token
from idp.domain.upkeep.audit import SYSTEM
from idp.model.clients import Client, InitialAccessToken
from idp.model.grants import AuthorizationCode
from idp.protocol.dpop import thumbprint
from tests.races.conftest import RACES, RUNNERS
from tests.races.test_one_winner import BASIC, redeem_form

KEY = ECKey.generate_key("P-256")


def proof(servers, key=KEY):
    """Make a proof for the token endpoint of the issuer, with a `jti` of its own."""
    claims = {
        "htm": "POST",
        "htu": f"http://127.0.0.1:{servers.ports[0]}/token",
        "jti": secrets.token_urlsafe(16),
        "iat": int(servers.world.now.timestamp()),
    }
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    return {"DPoP": jwt.encode(header, claims, key)}


def bound_to(token):
    """Return the key that an access token is bound to."""
    return json.loads(from_base64url(token.split(".")[1]))["cnf"]["jkt"]


def answers_by_error(answers):
    """Return the one that won, and what the others heard."""
    assert sorted(each.status for each in answers) == [200, *[400] * (RUNNERS - 1)]
    won = next(each.json() for each in answers if each.status == 200)
    return won, {each.json()["error"] for each in answers if each.status == 400}


def test_cd_02_of_bound_redemptions_of_a_code_at_once_one_gets_tokens(servers):
    for _ in range(RACES):
        body = redeem_form(servers.world.authorize())
        keys = [ECKey.generate_key("P-256") for _ in range(RUNNERS)]
        requests = [{"body": body, "headers": BASIC | proof(servers, key)} for key in keys]
        won, refused = answers_by_error(servers.race_each("POST", "/token", requests))
        assert refused == {"invalid_grant"}
        assert won["token_type"] == "DPoP"
        thumbprints = {thumbprint(key.as_dict(private=False)) for key in keys}
        assert bound_to(won["access_token"]) in thumbprints


def test_cd_02_a_code_bound_to_a_key_is_redeemed_once_by_its_holder(servers):
    for _ in range(RACES):
        jkt = thumbprint(KEY.as_dict(private=False))
        body = redeem_form(servers.world.authorize(facts={"dpop_jkt": jkt}))
        requests = [{"body": body, "headers": BASIC | proof(servers)} for _ in range(RUNNERS)]
        won, refused = answers_by_error(servers.race_each("POST", "/token", requests))
        assert refused == {"invalid_grant"}
        assert bound_to(won["access_token"]) == jkt


def test_a_proof_sent_several_times_at_once_proves_once(servers):
    """RFC 9449 section 11.1: the losers spend nothing, so their codes still work."""
    for _ in range(RACES):
        headers = BASIC | proof(servers)
        bodies = [redeem_form(servers.world.authorize()) for _ in range(RUNNERS)]
        requests = [{"body": body, "headers": headers} for body in bodies]
        _, refused = answers_by_error(servers.race_each("POST", "/token", requests))
        assert refused == {"invalid_dpop_proof"}
    redeemed = AuthorizationCode.redeemed_at.is_not(None)
    counted = select(func.count()).select_from(AuthorizationCode)
    assert servers.world.one(counted) == RACES * RUNNERS
    assert servers.world.one(counted.where(redeemed)) == RACES


def test_an_initial_access_token_of_one_use_registers_one_service(servers):
    body = json.dumps({"client_name": "Race", "redirect_uris": ["https://race.example/callback"]})
    before = servers.world.one(select(func.count()).select_from(Client))
    for _ in range(RACES):
        token = make_token(servers.world)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        answers = servers.race("POST", "/register", body=body, headers=headers)
        assert sorted(each.status for each in answers) == [201, *[401] * (RUNNERS - 1)]
        refused = {each.json()["error"] for each in answers if each.status == 401}
        assert refused == {"invalid_token"}
    assert servers.world.one(select(func.count()).select_from(Client)) == before + RACES
    assert set(servers.world.all(select(InitialAccessToken.uses_left))) == {0}


def make_token(world):
    """Make a token that registers one service."""
    order = TokenOrder(
        label="race", scopes=frozenset({"openid"}), expires_at=world.now + timedelta(days=1), uses=1
    )
    with transaction(world.sessions) as db:
        return create_initial_token(db, order, actor=SYSTEM, now=world.now).token
