"""What a service that registered itself may do later (RFC 7592)."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.grants.cleanup import delete_ended_grants
from idp.domain.grants.client_registry import disable_client, enable_client
from idp.domain.grants.clients import find_any_client, find_client, list_clients
from idp.domain.upkeep.audit import SYSTEM
from idp.model.clients import Client
from idp.web.deps import SERVICES
from tests.web.oidc.conftest import CALLBACK, Service
from tests.web.oidc.registering import Elsewhere, Registered, Registrar, make_token


@pytest.fixture
def elsewhere(app):
    found = Elsewhere()
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], http=found)
    return found


@pytest.fixture
def registrar(app, world, sessions, clock, elsewhere):
    return Registrar(app, make_token(sessions, clock))


@pytest.fixture
def made(registrar):
    return Registered(registrar, registrar.post())


def test_a_service_reads_itself_but_never_its_secret(made):
    answer = made.get()
    body = answer.get_json(force=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "client_secret" not in body
    assert body["registration_access_token"] == made.token
    assert body["client_id"] == made.client_id


def test_ca_01_unknown_wrong_and_disabled_read_the_same(made, registrar, sessions, clock):
    other = Registered(registrar, registrar.post())
    answers = [made.get(token="wrong"), made.get(token=other.token), made.delete(token="wrong")]
    answers.append(registrar.call("/register/nobody", "GET", made.token))
    answers.append(registrar.call("/register/rp", "GET", made.token))
    answers.append(registrar.call(made.path, "GET", None))
    with transaction(sessions) as db:
        disable_client(db, made.client_id, actor=SYSTEM, now=clock())
    answers.append(made.get())
    assert {each.status_code for each in answers} == {401}
    assert len({each.get_data() for each in answers}) == 1


def test_a_service_replaces_what_it_said(made, sessions):
    answer = made.put(client_name="Renamed", kosodate_consented=True, contacts=None)
    assert answer.status_code == 200, answer.get_data()
    with sessions() as db:
        client = find_client(db, made.client_id)
    assert client.names[""] == "Renamed"
    assert not client.is_consented
    assert len(client.secrets) == 1


def test_what_an_administrator_decided_about_a_service_stays_when_it_replaces_itself(
    made, sessions, town
):
    with transaction(sessions) as db:
        row = db.get_one(Client, made.client_id)
        row.municipality_id, row.is_consented, row.may_notify = town.id, True, True
        row.version += 1
    assert made.put(client_name="Renamed").status_code == 200
    with sessions() as db:
        client = find_client(db, made.client_id)
    assert (client.municipality_id, client.is_consented, client.may_notify) == (town.id, True, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "rp"},
        {"client_secret": "x" * 43},
        {"client_secret": 5},
        {"redirect_uris": ["https://elsewhere.example/callback"]},
        {"redirect_uris": ["http://rp.example/"]},
    ],
)
def test_another_id_secret_or_sector_is_refused(made, sessions, changes):
    with sessions() as db:
        before = find_client(db, made.client_id)
    assert made.put(**changes).status_code == 400
    with sessions() as db:
        assert find_client(db, made.client_id) == before


def test_secrets_follow_the_method(made, sessions, clock):
    assert made.put(token_endpoint_auth_method="none", client_secret=None).status_code == 200
    with sessions() as db:
        assert find_client(db, made.client_id).secrets == ()
    renewed = made.put(token_endpoint_auth_method="client_secret_post", client_secret=None)
    assert renewed.get_json(force=True)["client_secret_expires_at"] == 0
    assert renewed.get_json(force=True)["client_secret"] != made.body["client_secret"]


def test_a_service_takes_itself_away_for_good(made, app, sessions, clock):
    service = Service(app, made.client_id, made.body["client_secret"])
    assert service.call("/introspect", token="x").status == 200
    answer = made.delete()
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert made.get().status_code == 401
    assert service.call("/introspect", token="x").status == 401
    with transaction(sessions) as db:
        assert find_any_client(db, made.client_id).is_removed
        assert made.client_id not in {each.client_id for each in list_clients(db)}
        assert not enable_client(db, made.client_id, actor=SYSTEM, now=clock())


def test_a_removed_service_goes_after_a_month(made, registrar, sessions, clock):
    kept = Registered(registrar, registrar.post())
    assert made.delete().status_code == 204
    for days, is_there in ((29, True), (1, False)):
        clock.advance(timedelta(days=days))
        with transaction(sessions) as db:
            delete_ended_grants(db, now=clock())
            assert (find_any_client(db, made.client_id) is not None) is is_there
    with sessions() as db:
        assert find_client(db, kept.client_id) is not None


def test_a_service_changes_itself_while_the_document_of_its_sector_is_away(registrar, elsewhere):
    elsewhere.put("https://sector.example/uris", json.dumps([CALLBACK]).encode())
    made = Registered(
        registrar, registrar.post(sector_identifier_uri="https://sector.example/uris")
    )
    elsewhere.answers.clear()
    elsewhere.asked.clear()
    assert made.put(client_name="Renamed").status_code == 200
    assert elsewhere.asked == []
    refused = made.put(client_name="Again", redirect_uris=[CALLBACK, f"{CALLBACK}/2"])
    assert refused.status_code == 400
    assert "sector_identifier_uri" in refused.get_json(force=True)["error_description"]
    assert made.get().get_json(force=True)["client_name"] == "Renamed"
