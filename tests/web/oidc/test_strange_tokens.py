"""Every door that a token is brought to, and every token that opens none of them (JW-01 to JW-09).

The doors are UserInfo, introspection, the hints of authorization and sign-out, and client
authentication. Signatures are made by hand: the library would refuse to make most of them.
"""

import hashlib
import hmac
import json
import socket
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, RSAKey

from idp.base.secret import from_base64url, to_base64url
from idp.base.url import with_query
from idp.db.session import transaction
from idp.protocol.client_auth import ASSERTION_TYPE
from idp.protocol.logout import LogoutTokenFacts, build_logout_token
from tests import factories
from tests.signing import private_key
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import Service
from tests.web.oidc.test_authorize import assert_error
from tests.web.oidc.test_client_authentication import assert_401, call
from tests.web.oidc.test_userinfo import assert_refused

CLIENT_KEY = ECKey.generate_key("P-256", {"kid": "1"})
STRANGER = ec.generate_private_key(ec.SECP256R1())
DOORS = ("userinfo", "introspection", "hint", "logout", "assertion")
#: What no verifier accepts as an algorithm; None leaves it out.
NO_ALGORITHM = ("none", "None", "NONE", None, ["ES256"], 5)
BOMB = {"alg": "PBES2-HS256+A128KW", "enc": "A128CBC-HS256", "zip": "DEF", "p2c": 2**31}


@dataclass(frozen=True)
class Door:
    """A genuine token of the kind that opens a door, the key it is signed with, and the door."""

    genuine: str
    key: object
    refuse: object

    @property
    def header(self):
        return json.loads(from_base64url(self.genuine.split(".")[0]))

    @property
    def claims(self):
        return json.loads(from_base64url(self.genuine.split(".")[1]))


def seal(header, claims, key):
    """Sign whatever it is; claims may be a text that is no JSON of Python's making."""
    text = claims if isinstance(claims, str) else json.dumps(claims)
    body = f"{to_base64url(json.dumps(header).encode())}.{to_base64url(text.encode())}"
    if isinstance(key, bytes):
        signature = hmac.new(key, body.encode(), hashlib.sha256).digest()
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(body.encode(), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    else:
        signature = key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{body}.{to_base64url(signature)}"


@pytest.fixture
def signer(app, world, sessions, clock):
    """A service that proves itself with a key."""
    with transaction(sessions) as db:
        details = {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [CLIENT_KEY.as_dict(private=False)]},
        }
        factories.make_client(db, now=clock(), client_id="signer", details=details)
    return Service(app, "signer", None)


@pytest.fixture
def tokens(rp, browser, session_id):
    return rp.sign_in(browser)


@pytest.fixture
def assertion(clock):
    now = int(clock().timestamp())
    claims = {"iss": "signer", "sub": "signer", "aud": ORIGIN, "jti": "1", "exp": now + 60}
    return seal({"alg": "ES256", "kid": "1"}, claims, CLIENT_KEY.private_key)


@pytest.fixture
def door(request, rp, signer, browser, tokens, assertion):
    """The door a test is about, with a genuine token for it."""

    def refuse_logout(token):
        wanted = {"id_token_hint": token, "post_logout_redirect_uri": "https://rp.example/"}
        page = browser.get(with_query("/end_session", wanted))
        assert (page.status, page.location) == (400, None)
        assert "code=" in rp.authorize(browser, prompt="none").location

    def refuse_assertion(token):
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
        assert_401(call(signer, {}, **form))

    def refuse_introspection(token):
        assert rp.introspect(token) == {"active": False}

    def refuse_hint(token):
        assert_error(rp.authorize(browser, id_token_hint=token, prompt="none"), "invalid_request")

    own = private_key("ES256", 0), private_key("RS256", 0)
    return {
        "userinfo": Door(
            tokens.access_token, own[0], lambda text: assert_refused(rp.userinfo(text))
        ),
        "introspection": Door(tokens.access_token, own[0], refuse_introspection),
        "hint": Door(tokens.id_token, own[1], refuse_hint),
        "logout": Door(tokens.id_token, own[1], refuse_logout),
        "assertion": Door(assertion, CLIENT_KEY.private_key, refuse_assertion),
    }[request.param]


every_door = pytest.mark.parametrize("door", DOORS, indirect=True)


def test_a_token_made_by_hand_opens_its_door(rp, signer, browser, tokens, assertion):
    """Without this the refusals below would show nothing."""
    own = private_key("ES256", 0), private_key("RS256", 0)
    access = Door(tokens.access_token, own[0], None)
    token = seal(access.header, access.claims, own[0])
    assert rp.userinfo(token).status == 200
    assert rp.introspect(token)["active"] is True
    identity = Door(tokens.id_token, own[1], None)
    hint = seal(identity.header, identity.claims, own[1])
    assert "code=" in rp.authorize(browser, prompt="none", id_token_hint=hint).location
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    assert call(signer, {}, **form).status == 200
    wanted = {"id_token_hint": hint, "post_logout_redirect_uri": "https://rp.example/"}
    page = browser.get(with_query("/end_session", wanted))
    assert page.location == "https://rp.example/"


@every_door
def test_jw_01_an_algorithm_that_is_none_is_refused(door):
    for alg in NO_ALGORITHM:
        header = {name: value for name, value in (door.header | {"alg": alg}).items() if value}
        signed = seal(header, door.claims, door.key)
        door.refuse(signed)
        door.refuse(signed.rpartition(".")[0] + ".")


@every_door
def test_jw_02_a_hash_keyed_with_a_public_key_is_refused(door):
    public = door.key.public_key()
    kind = ECKey if isinstance(public, ec.EllipticCurvePublicKey) else RSAKey
    key = kind.import_key(public)
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode(), b""):
        door.refuse(seal(door.header | {"alg": "HS256"}, door.claims, secret))


@every_door
def test_jw_03_a_key_in_the_header_is_neither_used_nor_fetched(door):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        uri = f"https://127.0.0.1:{listener.getsockname()[1]}/keys"
        public = ECKey.import_key(STRANGER.public_key()).as_dict(private=False)
        for name, value in (("jwk", public), ("jku", uri), ("x5u", uri), ("x5c", ["MIIB"])):
            for kid in (door.header["kid"], "stranger"):
                header = door.header | {"alg": "ES256", "kid": kid, name: value}
                door.refuse(seal(header, door.claims, STRANGER))
        with pytest.raises(TimeoutError):
            listener.accept()


@every_door
def test_jw_04_a_strange_kid_is_refused(door):
    for kid in ("unknown", "../../dev/null", "' OR 1=1--", "k" * 10_000, 5, ["a"], {"a": 1}):
        door.refuse(seal(door.header | {"kid": kid}, door.claims, door.key))


@every_door
def test_jw_05_an_unknown_critical_header_is_refused(door):
    for critical in (["x"], ["b64"], [], "x"):
        header = door.header | {"crit": critical, "x": 1, "b64": False}
        door.refuse(seal(header, door.claims, door.key))


@every_door
def test_jw_06_an_encrypted_bomb_is_refused_before_it_is_opened(door):
    head = to_base64url(json.dumps(BOMB | {"p2s": "A" * 22}).encode())
    door.refuse(".".join([head, "A" * 54, "A" * 22, "A" * 1_000, "A" * 22]))
    deep = "[" * 3_000 + "]" * 3_000
    door.refuse(seal(door.header, f'{{"iss":{deep}}}', door.key))
    door.refuse(f"{to_base64url(deep.encode())}.e30.AAAA")


@every_door
def test_jw_07_a_token_of_another_kind_is_refused(door, tokens, assertion, clock):
    logout = build_logout_token(
        LogoutTokenFacts(ORIGIN, "rp", tokens.claims()["sub"], tokens.claims()["sid"]),
        jti="j",
        now=clock(),
    )
    header = Door(tokens.id_token, None, None).header | {"typ": "logout+jwt"}
    others = {
        tokens.access_token,
        tokens.id_token,
        assertion,
        seal(header, logout, private_key("RS256", 0)),
    }
    for token in others - {door.genuine}:
        door.refuse(token)


@pytest.mark.parametrize("door", ["userinfo", "hint", "logout", "assertion"], indirect=True)
def test_jw_07_a_refresh_token_opens_nothing_but_the_token_endpoint(door, tokens):
    door.refuse(tokens.refresh_token)


@pytest.mark.parametrize("door", ["userinfo", "introspection", "assertion"], indirect=True)
@pytest.mark.parametrize(
    "exp", ["PAST", '"2099"', "NaN", "Infinity", "1e400", "-1", "true", "null", "[1]"]
)
def test_jw_08_an_end_that_is_none_is_refused(door, clock, exp):
    past = str(int((clock() - timedelta(seconds=61)).timestamp()))
    claims = json.dumps(door.claims | {"exp": "END"}).replace('"END"', exp.replace("PAST", past))
    door.refuse(seal(door.header, claims, door.key))


@pytest.mark.parametrize("door", ["userinfo", "introspection", "assertion"], indirect=True)
def test_jw_08_a_beginning_that_is_to_come_is_refused(door, clock):
    soon = int((clock() + timedelta(seconds=61)).timestamp())
    for nbf in (soon, "now", True):
        door.refuse(seal(door.header, door.claims | {"nbf": nbf}, door.key))


@pytest.mark.parametrize(("seconds", "is_taken"), [(60, True), (61, False)])
def test_jw_08_our_own_clocks_may_differ_by_a_minute(rp, tokens, clock, seconds, is_taken):
    door = Door(tokens.access_token, private_key("ES256", 0), None)
    soon = int(clock().timestamp()) + seconds
    token = seal(door.header, door.claims | {"nbf": soon, "iat": soon}, door.key)
    assert (rp.userinfo(token).status == 200) == is_taken


@pytest.mark.parametrize(("seconds", "is_taken"), [(29, True), (30, False)])
def test_jw_08_a_clients_clock_may_differ_by_half_a_minute(
    signer, assertion, clock, seconds, is_taken
):
    past = int(clock().timestamp()) - seconds
    door = Door(assertion, CLIENT_KEY.private_key, None)
    token = seal(door.header, door.claims | {"exp": past}, door.key)
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
    assert (call(signer, {}, **form).status == 200) == is_taken


@pytest.mark.parametrize("door", ["userinfo", "hint", "assertion"], indirect=True)
def test_jw_09_another_audience_is_refused(door):
    for audience in ("other", [*_texts(door.claims["aud"]), "stranger"], [], None, 5):
        door.refuse(seal(door.header, door.claims | {"aud": audience}, door.key))


def _texts(audience):
    return audience if isinstance(audience, list) else [audience]


@every_door
def test_jw_09_another_issuer_is_refused(door):
    for issuer in (ORIGIN + "/", "https://evil.example", "", None, 5):
        door.refuse(seal(door.header, door.claims | {"iss": issuer}, door.key))
