"""An unknown client, a wrong secret and a disabled client cost the same work (CA-01)."""

import sys
from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from idp.db.session import transaction
from idp.domain.grants.client_registry import disable_client
from idp.domain.upkeep.audit import SYSTEM
from tests import factories
from tests.web.applications import build_app
from tests.web.oidc.conftest import SECRET, Service, secret_row
from tests.web.oidc.test_client_authentication import assert_401, call

#: What is counted besides statements: hashing and comparing.
WATCHED = {"openssl_sha256", "compare_digest", "new", "hmac_digest"}


@pytest.fixture
def app(database_url, clock):
    return build_app(database_url, clock)


@contextmanager
def counted(sessions):
    """Count statements, hashes and comparisons; nothing of ours is replaced for it."""
    engine = sessions.kw["bind"]
    found = Counter()

    def note_statement(_connection, _cursor, statement, *_):
        found[statement] += 1

    def note_call(_frame, kind, function):
        if kind == "c_call" and function.__name__ in WATCHED:
            found[function.__name__] += 1

    event.listen(engine, "before_cursor_execute", note_statement)
    sys.setprofile(note_call)
    try:
        yield found
    finally:
        sys.setprofile(None)
        event.remove(engine, "before_cursor_execute", note_statement)


@pytest.fixture
def posters(app, world, sessions, clock):
    """Services that send their secret in the body, one of them disabled."""
    with transaction(sessions) as db:
        for name in ("poster", "stopped"):
            details = {"token_endpoint_auth_method": "client_secret_post"}
            factories.make_client(db, now=clock(), client_id=name, details=details)
            db.add(secret_row(name, SECRET, now=clock()))
        disable_client(db, "other", actor=SYSTEM, now=clock())
        disable_client(db, "stopped", actor=SYSTEM, now=clock())


@pytest.mark.parametrize("endpoint", ["/introspect", "/token", "/revoke", "/par"])
@pytest.mark.parametrize("way", ["header", "body"])
def test_ca_01_unknown_wrong_and_disabled_cost_the_same(app, posters, sessions, endpoint, way):
    names = {"header": ("nobody", "rp", "other"), "body": ("nobody", "poster", "stopped")}[way]
    works = []
    for name in names:
        service = Service(app, name, "wrong-secret-of-a-good-length-01234567")
        form = {"client_id": name, "client_secret": service.secret} if way == "body" else {}
        headers = {} if way == "body" else None
        # The first call of each fills what a process remembers of a client.
        for _ in range(2):
            with counted(sessions) as found:
                answer = service.call(
                    endpoint, headers=headers, token="x", grant_type="client_credentials", **form
                )
            assert_401(answer)
        works.append(found)
    assert works[0]["compare_digest"] == 1
    assert works[0] == works[1] == works[2]


def test_ca_01_a_right_secret_is_compared_no_less(rp, sessions):
    call(rp)
    with counted(sessions) as found:
        assert call(rp).status == 200
    assert found["compare_digest"] == 1
