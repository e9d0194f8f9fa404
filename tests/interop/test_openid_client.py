"""npm's openid-client, unmodified, signs in, refreshes and signs out."""

import pytest

from tests.interop.libraries import Library

#: The library's names of the methods.
METHODS = {
    "client_secret_basic": "ClientSecretBasic",
    "client_secret_post": "ClientSecretPost",
    "client_secret_jwt": "ClientSecretJwt",
}


@pytest.fixture
def library():
    library = Library("relying_party.mjs")
    yield library
    library.close()


@pytest.fixture
def connect(provider, library):
    """Register the library and tell it what to use."""

    def connect(**details):
        secret = provider.register(
            "openid-client",
            redirect_uris=[f"{library.origin}/callback"],
            post_logout_redirect_uris=[f"{library.origin}/signed-out"],
            **details,
        )
        method = details.get("token_endpoint_auth_method", "client_secret_basic")
        library.configure(
            issuer=provider.issuer,
            client_id="openid-client",
            client_secret=secret,
            method=METHODS[method],
        )

    return connect


@pytest.mark.interop
def test_openid_client_signs_in_refreshes_and_signs_out(provider, library, person, connect):
    connect()
    person.open(f"{library.origin}/login?scope=openid profile offline_access&prompt=consent")
    provider.sign_in(person)
    if person.path == "/consent":
        person.submit("/consent", decision="allow")
    signed_in = person.page.json()
    assert signed_in["claims"]["iss"] == provider.issuer
    assert signed_in["claims"]["aud"] == "openid-client"
    assert signed_in["userinfo"]["sub"] == signed_in["claims"]["sub"]
    assert signed_in["userinfo"]["name"] == "佐倉 美咲"

    person.open(f"{library.origin}/refresh")
    assert person.page.json()["claims"]["sub"] == signed_in["claims"]["sub"]

    person.open(f"{library.origin}/login?scope=openid&prompt=none")
    again = person.page.json()
    assert again["claims"]["sub"] == signed_in["claims"]["sub"]

    person.open(f"{library.origin}/logout")
    assert person.page.json() == {"signed_out": True, "state": "left"}
    person.open(f"{library.origin}/login?scope=openid&prompt=none")
    assert "login_required" in person.page.text


@pytest.mark.interop
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_jwt"])
def test_openid_client_proves_itself_by_every_use_of_its_secret(
    provider, library, person, connect, method
):
    connect(token_endpoint_auth_method=method)
    person.open(f"{library.origin}/login?scope=openid profile offline_access&prompt=consent")
    provider.sign_in(person)
    person.submit("/consent", decision="allow")
    signed_in = person.page.json()
    assert signed_in["userinfo"]["sub"] == signed_in["claims"]["sub"]
    renewed = person.open(f"{library.origin}/refresh").page.json()
    assert renewed["claims"]["sub"] == signed_in["claims"]["sub"]
