"""Public documents that are kept before the application: the same answers, to the same callers."""

import gc
from weakref import ref

import pytest

from idp.db.session import transaction
from idp.domain.grants import keys as keys_module
from idp.domain.grants.key_rotation import publish_key
from idp.domain.grants.keys import load_keys
from idp.domain.upkeep.audit import SYSTEM
from idp.web.published import PATHS
from tests.databases import unreachable
from tests.signing import install_key
from tests.web.applications import ORIGIN

HOST = ORIGIN.partition("://")[2]


@pytest.fixture
def asked(app, world):
    """Count what reaches the application behind the kept documents."""
    calls = []
    inner = app.wsgi_app._application

    def count(environ, start_response):
        calls.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    app.wsgi_app._application = count
    return calls


@pytest.fixture
def get(app):
    client = app.test_client()
    return lambda path, **headers: client.get(path, headers=headers, base_url=ORIGIN)


def named(answer):
    return {each["kid"] for each in answer.get_json()["keys"]}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_kept_document_is_the_answer_of_the_view(get, asked, path):
    first, second = get(path), get(path)
    assert asked == [path]
    assert second.status == first.status
    assert second.data == first.data
    number = "X-Request-Id"
    assert {name for name, _ in second.headers} == {name for name, _ in first.headers}
    assert sorted(each for each in second.headers if each[0] != number) == sorted(
        each for each in first.headers if each[0] != number
    )
    assert first.headers[number] != second.headers[number]


def test_an_answer_without_a_page_lets_no_script_run(get, asked):
    assert "script-src 'none'" in get("/jwks").headers["Content-Security-Policy"]


def test_kt_05_a_foreign_name_gets_no_kept_document(get, asked):
    get("/jwks")
    assert get("/jwks", Host="evil.example").status_code == 400
    assert get("/jwks", Host="evil.example").status_code == 400
    assert get("/jwks", Host=HOST).status_code == 200
    assert asked == ["/jwks", "/jwks", "/jwks"]


def test_what_is_no_plain_get_goes_on_to_the_application(app, get, asked):
    get("/jwks")
    head = app.test_client().head("/jwks", base_url=ORIGIN)
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert get("/jwks?a=1").status_code == 200
    assert app.test_client().post("/jwks", base_url=ORIGIN).status_code == 405
    assert asked == ["/jwks"] * 4


def test_kt_01_a_new_key_makes_a_new_document(get, asked, sessions, clock, keys, later):
    before = named(get("/jwks"))
    assert named(get("/jwks")) == before
    with transaction(sessions) as db:
        kid = publish_key(db, "ES256", keys=keys, actor=SYSTEM, now=clock())
    later(seconds=30)
    assert [named(get("/jwks")) for _ in range(2)] == [before | {kid}] * 2


def test_kt_01_a_new_algorithm_makes_new_metadata(get, asked, sessions, clock, keys, later):
    path, name = "/.well-known/openid-configuration", "id_token_signing_alg_values_supported"
    before = get(path).get_json()[name]
    with transaction(sessions) as db:
        install_key(db, keys=keys, now=clock(), alg="EdDSA")
    later(seconds=30)
    after = [get(path).get_json()[name] for _ in range(2)]
    assert after == [sorted([*before, "EdDSA"])] * 2
    assert asked == [path] * 2


@pytest.mark.parametrize("path", sorted(PATHS))
def test_ft_01_a_database_that_is_away_is_asked_once_for_a_document(app, get, path):
    with unreachable(app) as tries:
        answer = get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert len(tries) == 1


def test_ft_02_what_is_known_waits_once_in_a_while_for_a_database(app, get, later, monkeypatch):
    running = iter(range(0, 10_000, 2))  # each try takes two seconds
    monkeypatch.setattr(keys_module, "monotonic", lambda: next(running))
    known = get("/jwks").get_json()
    with unreachable(app) as tries:
        for path in ("/jwks", *sorted(PATHS), "/jwks"):
            assert get(path).status_code == 200
        assert tries == []
        later(seconds=30)
        assert [get("/jwks").get_json() for _ in range(3)] == [known] * 3
        assert len(tries) == 1
        for _ in range(int(keys_module.REST_SECONDS)):
            next(running)
        assert get("/jwks").get_json() == known
        assert len(tries) == 2


def test_a_document_is_kept_for_a_name_whatever_its_port(get, asked):
    get("/jwks", Host="localhost")
    for port in range(1, 200):
        assert get("/jwks", Host=f"localhost:{port}").status_code == 200
    assert asked == ["/jwks"]


def test_kt_03_a_kept_document_holds_no_private_key(app, get, asked, sessions, services, later):
    with transaction(sessions) as db:
        before = ref(load_keys(db, keys=services.keys, now=services.clock()))
    get("/jwks", Host="localhost")
    later(seconds=30)
    get("/jwks")
    gc.collect()
    assert before() is None


def test_rl_05_names_and_ports_do_not_fill_the_memory(app, get, asked):
    for port in range(1, 200):
        assert get("/jwks", Host=f"localhost:{port}").status_code == 200
    assert len(app.wsgi_app._answers) == 1
    assert len(app._names) <= 64
    assert get("/jwks", Host="localhost:199").get_json() == get("/jwks").get_json()
