"""npm's oauth4webapi, unmodified: a public client, its tokens bound to its key (DPoP), PAR."""

import pytest

from tests.interop.libraries import Library


@pytest.fixture(params=[False, True], ids=["", "nonces"])
def tokens(request):
    """Whether proofs must repeat a nonce of the provider (RFC 9449 §8)."""
    return {"require_dpop_nonce": request.param}


@pytest.fixture
def library(provider):
    library = Library("low_level_party.mjs")
    provider.register(
        "oauth4webapi",
        token_endpoint_auth_method="none",
        redirect_uris=[f"{library.origin}/callback"],
        grant_types=["authorization_code", "refresh_token"],
    )
    library.configure(issuer=provider.issuer, client_id="oauth4webapi")
    yield library
    library.close()


@pytest.mark.interop
@pytest.mark.parametrize("pushed", ["", "&push=1"], ids=["", "par"])
def test_oauth4webapi_signs_in_with_dpop_refreshes_and_revokes(
    provider, library, person, tokens, pushed
):
    query = f"scope=openid profile offline_access&prompt=consent{pushed}"
    person.open(f"{library.origin}/login?{query}")
    provider.sign_in(person)
    if person.path == "/consent":
        person.submit("/consent", decision="allow")
    answer = person.page.json()
    assert answer["token_type"] == "dpop"
    # Asked for once; the library repeats what it was last given, and is given new ones in time.
    assert answer["nonces"] == (1 if tokens["require_dpop_nonce"] else 0)
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"]

    renewed = person.open(f"{library.origin}/refresh").page.json()
    assert renewed == {"token_type": "dpop", "refresh_token_is_new": True}
    assert person.open(f"{library.origin}/revoke").page.json() == {"after": "invalid_grant"}
