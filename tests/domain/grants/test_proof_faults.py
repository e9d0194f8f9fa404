"""Every way in which a proof of possession proves nothing (RFC 9449 §4.3), by its reason."""

import secrets

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from idp.domain.grants.jose import PROOF_REGISTRIES
from idp.domain.grants.proofs import spend_proof, verify_proof
from idp.oauth.proofs import refused_proof
from idp.protocol.dpop import Proof, ProofFault, ProofTarget, token_hash

KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
URL = "https://id.example/token"
TARGET = ProofTarget("POST", URL, access_token="abc")


def make(now, *, header=None, signed_with=KEY, **changes):
    """Return a good proof, but for what is changed; None takes a member away."""
    claims = {
        "htm": "POST",
        "htu": URL,
        "jti": secrets.token_urlsafe(16),
        "iat": int(now.timestamp()),
        "ath": token_hash("abc"),
    } | changes
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)} | (header or {})
    return jwt.encode(
        {name: value for name, value in head.items() if value is not None},
        {name: value for name, value in claims.items() if value is not None},
        signed_with,
        registry=PROOF_REGISTRIES["ES256"],
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"header": {"typ": "JWT"}}, ProofFault.TYPE),
        ({"header": {"jwk": KEY.as_dict(private=True)}}, ProofFault.KEY),
        ({"header": {"jwk": None}}, ProofFault.KEY),
        ({"header": {"jwk": OTHER.as_dict(private=False)}}, ProofFault.SIGNATURE),
        ({"jti": None}, ProofFault.CLAIMS),
        ({"iat": None}, ProofFault.CLAIMS),
        ({"htm": "GET"}, ProofFault.METHOD),
        ({"htu": "https://id.example/userinfo"}, ProofFault.URL),
        ({"iat": 1}, ProofFault.TIME),
        ({"ath": token_hash("abd")}, ProofFault.TOKEN),
        ({"ath": None}, ProofFault.TOKEN),
    ],
)
def test_jw_01_fapi2_dpop_negative_tests_have_each_their_reason(clock, changes, fault):
    now = clock()
    assert isinstance(verify_proof(make(now), TARGET, now=now), Proof)
    assert verify_proof(make(now, **changes), TARGET, now=now) is fault
    assert refused_proof(fault).code == "invalid_dpop_proof"


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "a.b.c.d"])
def test_a_text_that_is_no_proof_has_a_shape_fault(clock, text):
    assert verify_proof(text, TARGET, now=clock()) is ProofFault.SHAPE


def test_jw_01_a_proof_with_another_algorithm_is_refused(clock):
    head, _, rest = make(clock()).partition(".")
    none = jwt.encode(
        {"typ": "dpop+jwt", "alg": "HS256"}, {"a": 1}, OctKey.generate_key(256)
    ).partition(".")[0]
    assert head != none
    assert verify_proof(f"{none}.{rest}", TARGET, now=clock()) is ProofFault.ALGORITHM


def test_a_proof_is_spent_once_and_its_replay_has_a_reason(world):
    proof = verify_proof(make(world.now), TARGET, now=world.now)
    assert world.do(spend_proof, proof, now=world.now)
    assert not world.do(spend_proof, proof, now=world.now)
    assert refused_proof(ProofFault.REPLAYED).reason == "dpop_replayed"
