"""A service that publishes its keys at an address, through the endpoints (OIDC Core §10.1.1)."""

import json
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.base.http import HttpClient
from idp.db.session import transaction
from idp.domain.grants.client_keys import ClientKeys
from idp.protocol.client_auth import ASSERTION_TYPE
from idp.web.deps import SERVICES
from tests import factories
from tests.serving import Port, serving
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import Service
from tests.web.oidc.test_client_authentication import assert_401, call

OLD = ECKey.generate_key("P-256", {"kid": "old"})
NEW = ECKey.generate_key("P-256", {"kid": "new"})


class Publisher:
    """The service's own server."""

    def __init__(self):
        self.keys, self.calls, self.fails = [OLD], 0, False

    def __call__(self, _environ, start_response):
        self.calls += 1
        start_response("500 Broken" if self.fails else "200 OK", [])
        return [json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()]


@pytest.fixture
def publisher(app, world, sessions, clock):
    """Serve the keys, and let the provider call this machine as the demonstration does."""
    publisher, port = Publisher(), Port()
    details = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": f"{port.origin}/keys"}
    with transaction(sessions) as db:
        factories.make_client(db, now=clock(), client_id="signer", details=details)
    keys = ClientKeys(HttpClient(timeout_seconds=5, allow_loopback=True))
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], client_keys=keys)
    with serving(publisher, port):
        yield publisher


@pytest.fixture
def prove(app, clock):
    """Authenticate with a key."""
    numbers = iter(range(100))

    def run(key):
        claims = {
            "iss": "signer",
            "sub": "signer",
            "aud": ORIGIN,
            "jti": str(next(numbers)),
            "exp": int(clock().timestamp()) + 60,
        }
        text = jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
        return call(Service(app, "signer", None), {}, **form)

    return run


def test_oidcc_refresh_token_rp_key_rotation_reads_the_keys_again_for_an_unknown_kid(
    publisher, prove, later
):
    assert prove(OLD).status == 200
    assert prove(OLD).status == 200
    assert publisher.calls == 1
    publisher.keys = [NEW]
    later(seconds=60)
    assert prove(NEW).status == 200
    assert_401(prove(OLD))
    assert publisher.calls == 2


def test_sr_04_a_stranger_cannot_make_us_call_a_service_for_every_request(publisher, prove):
    for _ in range(5):
        assert_401(prove(NEW))
    assert publisher.calls == 1


def test_sr_04_while_the_address_is_broken_known_keys_work_on_and_nobody_sees_an_error(
    publisher, prove, later
):
    assert prove(OLD).status == 200
    publisher.fails = True
    later(minutes=10)
    assert prove(OLD).status == 200
    assert_401(prove(NEW))
    later(hours=24)
    assert_401(prove(OLD))
