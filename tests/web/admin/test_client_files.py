"""Registrations as files: what was given can be taken again, all of it or nothing."""

import json
from dataclasses import replace
from datetime import timedelta
from threading import Event
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from idp.base.http import HttpClient
from idp.db.session import transaction
from idp.domain.grants.clients import find_any_client
from idp.model.clients import Client
from idp.protocol.client_file import MAX_CLIENTS, FileFault, read_file
from idp.web.deps import SERVICES
from tests.serving import Port, serving
from tests.web.admin.test_clients import register, secret_on

FILES = "/admin/client-files"
ONE = {
    "client_id": "one",
    "client_name": "一つめ",
    "redirect_uris": ["https://one.example/cb"],
    "kosodate_events": [],
}


def take(admin, content, **typed):
    text = content if isinstance(content, str) else json.dumps(content)
    return admin.get(FILES).submit(FILES, document=text, **typed)


def names(sessions):
    with sessions() as db:
        return sorted(db.scalars(select(Client.id)))


def test_a_file_is_registered_and_its_secrets_are_shown_once(admin, sessions):
    page = take(admin, [ONE, ONE | {"client_id": "two"}])
    assert page.status == 200
    assert names(sessions) == ["one", "two"]
    assert page.text.count('class="code-number"') == 2
    assert secret_on(page) not in admin.get("/admin/clients/one").text


def test_what_was_given_can_be_taken_again(admin, sessions):
    register(admin, contacts="ops@example.jp")
    given = admin.get("/admin/clients/care-booking/export")
    assert given.headers["Content-Type"] == "application/json"
    assert given.headers["Content-Disposition"] == 'attachment; filename="care-booking.json"'
    document = json.loads(given.text)
    assert document["contacts"] == ["ops@example.jp"]
    assert "client_secret" not in document
    everything = admin.get(f"{FILES}/all")
    assert json.loads(everything.text) == [document]
    page = take(admin, everything.text, replace="1")
    assert page.location == "/admin/clients/care-booking?done=saved"
    assert json.loads(admin.get(f"{FILES}/all").text) == [document]


def test_an_id_that_is_taken_is_refused_unless_it_may_be_replaced(admin, sessions):
    take(admin, ONE)
    changed = ONE | {"client_name": "新しい名前"}
    page = take(admin, changed)
    assert page.status == 422
    assert 'href="#document"' in page.text
    assert "新しい名前" in json.loads(page.form(FILES).fields["document"])["client_name"]
    assert take(admin, changed, replace="1").status == 303
    with transaction(sessions) as db:
        assert find_any_client(db, "one").name_in("ja") == "新しい名前"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "JSONとして読めません"),
        ("[" * 5000, "JSONとして読めません"),
        ('{"client_name": NaN}', "JSONとして読めません"),
        ('{"client_name": "\\u0000"}', "JSONとして読めません"),
        ('{"client_name": "\\ud800"}', "JSONとして読めません"),
        ("", "ファイルを選ぶか"),
        ("3", "1件から200件まで"),
        ("[]", "1件から200件まで"),
        ([1], "1件から200件まで"),
        ([ONE, ONE | {"client_id": "two", "tos_uri": "ftp://x/"}], "two："),
        ([ONE, {"client_name": "x"}], "2：戻り先"),
        ([ONE, ONE | {"client_id": "two", "kosodate_municipality": "000000"}], "two：この市町村"),
        ([ONE, ONE], "one：この識別子"),
        (ONE | {"unheard_of": 1}, "（unheard_of）"),
    ],
)
def test_az_08_a_file_with_a_fault_registers_nothing(admin, sessions, content, words):
    page = take(admin, content)
    assert page.status == 422
    assert words in page.text
    assert 'id="document-error"' in page.text
    assert names(sessions) == []


def test_ca_09_a_file_with_a_secret_that_has_ended_changes_nothing(admin, sessions, clock):
    held = ONE | {"client_secret": "x" * 43}
    take(admin, held)
    clock.advance(timedelta(seconds=1))
    admin.get("/admin/clients/one").submit("/admin/clients/one/secret")
    assert take(admin, held, replace="1").status == 303
    admin.get("/admin/clients/one").submit("/admin/clients/one/end-old-secrets")
    page = take(admin, [ONE | {"client_id": "two"}, held], replace="1")
    assert page.status == 422
    assert "one：ファイルの秘密の値（client_secret）は、すでに終わったもの" in page.text
    assert names(sessions) == ["one"]


@pytest.fixture
def other_server(app):
    """A server that proves sectors, until it hangs; the whole file has three seconds for it."""
    http = HttpClient(timeout_seconds=5, allow_loopback=True, batch_seconds=3)
    services = app.extensions[SERVICES]
    # Services may be on this machine, as in the demonstration.
    settings = replace(services.settings, dev=replace(services.settings.dev, allow_http=True))
    app.extensions[SERVICES] = replace(services, http=http, settings=settings)
    released, hangs, asked = Event(), Event(), []

    def answer(environ, start_response):
        asked.append(environ["PATH_INFO"])
        if hangs.is_set():
            released.wait(30)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(ONE["redirect_uris"]).encode()]

    with serving(answer, Port()) as origin:
        yield SimpleNamespace(origin=origin, hangs=hangs, asked=asked)
        released.set()


def test_sr_04_a_file_whose_addresses_hang_has_one_deadline(admin, other_server, sessions):
    proven = {"sector_identifier_uri": f"{other_server.origin}/sector"}
    file = [ONE, *(ONE | proven | {"client_id": f"of-{place}"} for place in range(20))]
    assert take(admin, file).status == 200
    assert other_server.asked == ["/sector"]
    everything = json.loads(admin.get(f"{FILES}/all").text)
    other_server.hangs.set()
    renamed = [document | {"client_name": "新しい名前"} for document in everything]
    assert take(admin, renamed, replace="1").status == 303
    assert other_server.asked == ["/sector"]
    moved = [document | {"client_name": "もっと新しい"} for document in everything]
    moved[7] |= {"logo_uri": f"{other_server.origin}/logo"}
    page = take(admin, moved, replace="1")
    assert page.status == 422
    assert f"{moved[7]['client_id']}：アドレスの確認に、時間がかかりすぎました" in page.text
    assert other_server.asked == ["/sector", "/logo"]
    named = {each["client_name"] for each in json.loads(admin.get(f"{FILES}/all").text)}
    assert named == {"新しい名前"}


def test_a_file_has_a_bound():
    assert read_file(json.dumps([ONE] * (MAX_CLIENTS + 1))) is FileFault.NO_CLIENTS
    assert len(read_file(json.dumps([ONE] * MAX_CLIENTS))) == MAX_CLIENTS
    assert read_file("1e999") is FileFault.NOT_JSON


def test_a_service_that_is_not_there_has_no_file(admin):
    assert admin.get("/admin/clients/nobody/export").status == 404
