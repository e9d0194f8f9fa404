"""Keys that clients publish: fetched seldom, again when they rotate, kept while it fails."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.base.http import Fetched, FetchError
from idp.domain.grants.client_keys import ASK_AGAIN_AFTER, FRESH_FOR, ClientKeys, KeysWanted
from idp.domain.grants.client_signatures import open_client_token
from idp.domain.grants.clients import find_client

URI = "https://rp.example/jwks"
OLD = ECKey.generate_key("P-256", {"kid": "old"})
NEW = ECKey.generate_key("P-256", {"kid": "new"})


class Server:
    """The client's own server, as the outgoing client sees it."""

    def __init__(self, *keys, private=False):
        self.calls = 0
        self.body = json.dumps({"keys": [key.as_dict(private=private) for key in keys]}).encode()

    def get(self, url):
        assert url == URI
        self.calls += 1
        if self.body is None:
            raise FetchError("timeout")
        return Fetched(200, "application/json", self.body)


@pytest.fixture
def client(world):
    return replace(world.do(find_client, "booking"), jwks_uri=URI, jwks=None)


def opened(world, keys, client, key):
    """Open a token as the endpoints do: fetch once when it is asked for, then begin again."""
    text = jwt.encode({"alg": "ES256", "kid": key.kid}, {"iss": "booking"}, key)

    def run():
        return open_client_token(
            text, client, algorithms=("ES256",), client_keys=keys, now=world.now
        )

    try:
        return run()
    except KeysWanted as wanted:
        keys.fetch(wanted.uri, now=world.now)
    return run()


def test_oidcc_refresh_token_rp_key_rotation_asks_again_for_an_unknown_kid(world, client):
    server = Server(OLD)
    keys = ClientKeys(server)
    assert opened(world, keys, client, OLD).claims["iss"] == "booking"
    assert opened(world, keys, client, OLD) is not None
    assert server.calls == 1
    server.body = Server(NEW).body
    assert opened(world, keys, client, NEW) is None, "asked just before"
    world.clock.advance(ASK_AGAIN_AFTER)
    assert opened(world, keys, client, NEW) is not None
    assert opened(world, keys, client, OLD) is None
    assert server.calls == 2


def test_known_keys_work_on_while_the_address_does_not_answer(world, client):
    server = Server(OLD)
    keys = ClientKeys(server)
    assert opened(world, keys, client, OLD) is not None
    server.body = None
    world.clock.advance(FRESH_FOR)
    assert opened(world, keys, client, OLD) is not None
    assert server.calls == 2
    world.clock.advance(timedelta(hours=24))
    assert opened(world, keys, client, OLD) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"keys":5}', b"[" * 50, b'{"keys":[5]}'])
def test_what_is_no_key_set_holds_no_key(world, client, body):
    server = Server()
    server.body = body
    assert opened(world, ClientKeys(server), client, OLD) is None


def test_a_set_that_shows_a_private_key_is_worth_nothing(world, client):
    assert opened(world, ClientKeys(Server(OLD, private=True)), client, OLD) is None
