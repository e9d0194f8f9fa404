"""A client and parameters that tests change one thing of."""

from dataclasses import replace

from idp.protocol import pkce
from idp.protocol.client import GrantType, RegisteredClient
from idp.protocol.params import parse_params

CALLBACK = "https://rp.test/cb"
VERIFIER = "v" * 43

CLIENT = RegisteredClient(
    client_id="rp",
    sector="rp.test",
    redirect_uris=(CALLBACK,),
    post_logout_redirect_uris=("https://rp.test/bye",),
    scopes=frozenset({"openid", "profile", "email"}),
    grant_types=frozenset({GrantType.AUTHORIZATION_CODE}),
)

REQUEST = {
    "client_id": "rp",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile",
    "state": "xyz",
    "nonce": "n-1",
    "code_challenge": pkce.build_challenge(VERIFIER),
    "code_challenge_method": "S256",
}


def client(**changes):
    return replace(CLIENT, **changes)


def params(**changes):
    """Return the request with some parameters changed; None leaves one out."""
    values = {**REQUEST, **changes}
    return parse_params([(name, value) for name, value in values.items() if value is not None])
