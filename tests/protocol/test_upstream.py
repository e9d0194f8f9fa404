"""What an upstream provider says about itself and in its answers, judged by reason."""

from datetime import UTC, datetime

import pytest

from idp.protocol.upstream import (
    Expected,
    Profile,
    UpstreamAnswer,
    UpstreamFault,
    UpstreamMetadata,
    judge_id_token,
    parse_metadata,
    read_code,
)

ISSUER = "https://upstream.example"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}


def test_a_whole_document_is_read():
    assert isinstance(parse_metadata(DOCUMENT, issuer=ISSUER), UpstreamMetadata)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_kt_05_a_document_without_an_endpoint_is_not_believed(name, value):
    found = parse_metadata(DOCUMENT | {name: value}, issuer=ISSUER)
    assert found is UpstreamFault.ENDPOINT


def test_an_answer_without_a_code_was_refused():
    metadata = parse_metadata(DOCUMENT, issuer=ISSUER)
    assert read_code(UpstreamAnswer("state", None, None), metadata) is UpstreamFault.REFUSED
    assert read_code(UpstreamAnswer("state", "code", None), metadata) == "code"


@pytest.mark.parametrize(("acr", "is_enough"), [("aal3", True), ("aal1", False), (None, False)])
def test_jw_09_a_weaker_proof_than_demanded_has_its_reason(acr, is_enough):
    moment = int(NOW.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": "us",
        "sub": "card-1",
        "nonce": "n",
        "iat": moment,
        "exp": moment + 60,
        "acr": acr,
    }
    expected = Expected(ISSUER, "us", "n", Profile.DIGITAL_AUTH_APP, ("aal3",))
    judged = judge_id_token({"typ": "JWT"}, claims, expected, now=NOW)
    assert (judged is UpstreamFault.ACR) is not is_enough
