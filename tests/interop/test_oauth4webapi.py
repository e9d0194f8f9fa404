"""npm's oauth4webapi, unmodified: a public client whose tokens are bound to its key (DPoP)."""

import pytest

from tests.interop.libraries import Library


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
def test_oauth4webapi_signs_in_with_dpop_refreshes_and_revokes(provider, library, person):
    person.open(f"{library.origin}/login?scope=openid profile offline_access&prompt=consent")
    provider.sign_in(person)
    if person.path == "/consent":
        person.submit("/consent", decision="allow")
    answer = person.page.json()
    assert answer["token_type"] == "dpop"
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"]

    renewed = person.open(f"{library.origin}/refresh").page.json()
    assert renewed == {"token_type": "dpop", "refresh_token_is_new": True}
    assert person.open(f"{library.origin}/revoke").page.json() == {"after": "invalid_grant"}
