"""FT-01: nobody waits longer than five seconds for a connection that is not to be had."""

import pytest

from idp.db.engine import engine_options
from tests.databases import unreachable
from tests.web.applications import ORIGIN

_MOST_SECONDS = 5
_MOST_TRIES = 2
CALLS = [
    ("GET", "/login"),
    ("GET", "/authorize?client_id=rp&response_type=code"),
    ("GET", "/account/profile"),
    ("GET", "/account/security"),
    ("GET", "/staff/"),
    ("GET", "/jwks"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/userinfo"),
    ("POST", "/token"),
    ("POST", "/introspect"),
    ("POST", "/revoke"),
    ("POST", "/par"),
]


@pytest.fixture
def tries(app):
    """Let every connection fail, and count them."""
    with unreachable(app) as made:
        yield made


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_ft_01_a_request_tries_twice_at_most(app, world, browser, session_id, tries, method, path):
    form = {"client_id": "rp", "client_secret": "x", "token": "x", "grant_type": "refresh_token"}
    headers = {"Authorization": "Bearer x.y.z"} if path == "/userinfo" else {}
    answer = browser.client.open(
        path,
        method=method,
        base_url=ORIGIN,
        headers=headers,
        data=form if method == "POST" else None,
    )
    assert answer.status_code == 503
    assert 1 <= len(tries) <= _MOST_TRIES


def test_ft_01_two_tries_are_over_in_time():
    options = engine_options("postgresql+psycopg://idp@db.example/idp", pool_size=5)
    waits = (options["connect_args"]["connect_timeout"], options["pool_timeout"])
    assert _MOST_TRIES * max(waits) < _MOST_SECONDS
