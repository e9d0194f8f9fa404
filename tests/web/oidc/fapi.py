"""A service that is held to FAPI 2.0: it proves itself with a key and pushes its requests."""

import json
import secrets

from joserfc import jwt
from joserfc.jwk import ECKey

from idp.base.url import with_query
from idp.db.session import transaction
from idp.protocol.client_auth import ASSERTION_TYPE
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import Service

KEY = ECKey.generate_key("P-256", {"kid": "fapi-1"})
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "fapi-2"})
DPOP_KEY = ECKey.generate_key("P-256")
OTHER_DPOP_KEY = ECKey.generate_key("P-256")
DETAILS = {
    "token_endpoint_auth_method": "private_key_jwt",
    "scope": "openid profile email household children delegation",
    "id_token_signed_response_alg": "ES256",
    "kosodate_profile": "fapi2",
}


class FapiService(Service):
    """Authenticates by assertion at every call; `authorize` goes by way of a pushed request."""

    def __init__(self, app, clock, client_id, key):
        super().__init__(app, client_id, None)
        self.clock = clock
        self.key = key

    def assertion(self, **changes):
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ORIGIN,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "nbf": now,
            "exp": now + 60,
        } | changes
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def call(self, path, *, headers=None, query=None, method="POST", **form):
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        return super().call(
            path, headers=headers or {}, query=query, method=method, **(proof | form)
        )

    def proof(self, path, key=DPOP_KEY, **changes):
        """Return the header that proves possession of a key (RFC 9449 §4.2)."""
        claims = {
            "htm": "POST",
            "htu": f"{ORIGIN}{path}",
            "jti": secrets.token_urlsafe(16),
            "iat": int(self.clock().timestamp()),
        } | changes
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
        return {"DPoP": jwt.encode(header, claims, key)}

    def redeem(self, code, *, key=DPOP_KEY, **changes):
        return super().redeem(code, headers=self.proof("/token", key), **changes)

    def push(self, **changes):
        """Push a request and return the answer of the endpoint."""
        return self.call("/par", **self.params(**changes))

    def pushed(self, **changes):
        """Push a request and return the reference to it."""
        answer = self.push(**changes)
        assert answer.status == 201, answer.body
        return answer.request_uri

    def visit(self, browser, request_uri, **beside):
        """Send a browser here with a reference, and whatever stands beside it."""
        wanted = {"client_id": self.client_id, "request_uri": request_uri} | beside
        return browser.get(with_query("/authorize", wanted)).arrive()

    def authorize(self, browser, **changes):
        return self.visit(browser, self.pushed(**changes))


def make_service(app, sessions, clock, client_id="fapi", key=KEY, **details):
    """Register a service of this kind and return it."""
    jwks = {"keys": [json.loads(json.dumps(key.as_dict(private=False)))]}
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id=client_id,
            sector="municipality:990001",
            details=DETAILS | {"jwks": jwks} | details,
        )
    return FapiService(app, clock, client_id, key)
