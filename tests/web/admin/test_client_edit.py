"""The form of a service shows every member; two who change it at once do not lose anything."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from idp.base.http import Fetched, FetchError
from idp.db.session import transaction
from idp.domain.grants.clients import find_any_client
from idp.model.clients import Client, ClientOrigin
from idp.model.grants import SigningKey
from idp.model.upkeep import AuditEvent
from idp.web.deps import SERVICES
from tests.web.admin.test_clients import register

KEYS = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "' + "A" * 43 + '", "kid": "1"}]}'
SECTOR = "https://booking.example/uris"
EDIT = "/admin/clients/care-booking/edit"


class Elsewhere:
    """Servers of others, with the documents that a test puts there."""

    def __init__(self):
        self.documents = {}
        self.asked = []

    def get(self, url):
        self.asked.append(url)
        if url not in self.documents:
            raise FetchError("connection")
        return Fetched(200, "application/json", self.documents[url])


@pytest.fixture
def elsewhere(app):
    found = Elsewhere()
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], http=found)
    return found


@pytest.fixture
def find(sessions):
    def run(client_id="care-booking"):
        with transaction(sessions) as db:
            return find_any_client(db, client_id)

    return run


def save(admin, **typed):
    """Open the form, change what is named, leave the rest as it is shown."""
    return admin.get(EDIT).submit(EDIT, **typed)


def updates(sessions):
    with sessions() as db:
        rows = db.scalars(select(AuditEvent).where(AuditEvent.name == "client.updated")).all()
        return [row.detail["members"] for row in rows]


def test_saving_the_form_as_it_is_changes_nothing(admin, find, sessions):
    register(admin, contacts="ops@example.jp", name_other="fr: Réservation", default_max_age="60")
    before = find()
    assert save(admin).status == 303
    after = find()
    assert replace(after, version=before.version) == before
    assert updates(sessions) == [""]


def test_every_kind_of_member_is_saved_and_shown_again(admin, find, elsewhere):
    register(
        admin,
        default_max_age="３６００",
        default_acr_values=["urn:kosodate:acr:mfa", "phr"],
        dpop_bound_access_tokens="1",
        contacts="ops@example.jp\nhelp@example.jp",
        events=["account.closed"],
        event_endpoint="https://booking.example/events",
        description_other="fr: Réserver",
    )
    client = find()
    assert client.default_max_age == 3600
    assert client.default_acr_values == ("urn:kosodate:acr:mfa", "phr")
    assert client.dpop_bound_access_tokens
    assert client.contacts == ("ops@example.jp", "help@example.jp")
    assert client.descriptions == {"fr": "Réserver"}
    form = admin.get(EDIT).form(EDIT)
    assert form.fields["default_max_age"] == "3600"
    assert form.fields["default_acr_values"] == ["urn:kosodate:acr:mfa", "phr"]
    assert form.fields["events"] == "account.closed"
    assert form.fields["description_other"] == "fr: Réserver"


def test_fapi2_is_one_setting_and_refuses_what_is_weaker(admin, find):
    register(admin)
    page = save(admin, profile="fapi2")
    assert page.status == 422
    assert 'id="auth_method-error"' in page.text
    page = save(admin, profile="fapi2", auth_method="private_key_jwt", jwks=KEYS)
    assert page.status == 303
    client = find()
    assert client.is_fapi
    assert client.needs_pushed_request
    assert client.needs_dpop
    assert client.needs_pkce
    weaker = save(admin, id_token_signed_response_alg="RS256")
    assert 'id="id_token_signed_response_alg-error"' in weaker.text
    assert "FAPI 2.0" in admin.get("/admin/clients/care-booking").text
    assert "FAPI 2.0" in admin.get("/admin/clients").text


def test_sector_unproven_stands_at_its_field_and_nothing_is_lost(admin, elsewhere, sessions):
    page = register(admin, sector_identifier_uri=SECTOR, contacts="ops@example.jp")
    assert page.status == 422
    assert elsewhere.asked == [SECTOR]
    assert 'href="#sector_identifier_uri"' in page.text
    described = page.text.partition('id="sector_identifier_uri" ')[2].partition(">")[0]
    assert 'aria-describedby="sector_identifier_uri-hint sector_identifier_uri-error"' in described
    assert '<details class="disclosure" id="part-identifiers" open>' in page.text
    assert '<details class="disclosure" id="part-events">' in page.text
    assert page.form("/admin/clients/new").fields["contacts"] == "ops@example.jp"
    with sessions() as db:
        assert db.scalars(select(Client)).all() == []


def test_a_proven_sector_is_registered_and_another_one_is_refused_later(admin, elsewhere, find):
    uris = "https://booking.example/callback"
    elsewhere.documents[SECTOR] = f'["{uris}"]'.encode()
    assert register(admin, sector_identifier_uri=SECTOR, redirect_uris=uris).status == 200
    assert find().sector == "host:booking.example"
    assert save(admin, name_ja="予約").status == 303
    page = save(admin, sector_identifier_uri="https://other.example/uris")
    assert page.status == 422
    assert 'id="sector_identifier_uri-error"' in page.text


def test_a_service_can_be_changed_while_the_document_of_its_sector_is_away(admin, elsewhere, find):
    uris = "https://booking.example/callback"
    elsewhere.documents[SECTOR] = f'["{uris}"]'.encode()
    register(admin, sector_identifier_uri=SECTOR, redirect_uris=uris)
    del elsewhere.documents[SECTOR]
    elsewhere.asked.clear()
    assert save(admin, name_ja="予約").status == 303
    assert (find().name_in("ja"), find().sector) == ("予約", "host:booking.example")
    assert elsewhere.asked == []
    more = f"{uris}\nhttps://booking.example/second"
    for changed in (
        {"redirect_uris": more},
        {"redirect_uris": "https://booking.example/second"},
        {"sector_identifier_uri": f"{SECTOR}?2"},
    ):
        before = find()
        page = save(admin, name_ja="別の名前", **changed)
        assert page.status == 422
        assert 'id="sector_identifier_uri-error"' in page.text
        assert find() == before
    assert elsewhere.asked == [SECTOR, SECTOR, f"{SECTOR}?2"]


def test_whoever_was_slower_is_told_and_keeps_what_she_typed(admin, find, sessions):
    register(admin)
    first, second = admin.get(EDIT), admin.get(EDIT)
    assert first.submit(EDIT, contacts="first@example.jp").status == 303
    page = second.submit(EDIT, name_ja="予約の窓口")
    assert page.status == 422
    assert find().name_in("ja") == "一時あずかり予約"
    assert page.form(EDIT).fields["name_ja"] == "予約の窓口"
    assert "サービスの名前、連絡先" in page.text or "連絡先、サービスの名前" in page.text
    # She has seen it, and saves again.
    assert page.submit(EDIT).status == 303
    assert find().name_in("ja") == "予約の窓口"
    assert find().contacts == ()
    assert updates(sessions) == ["contacts", "client_name contacts"]


def test_a_refused_save_does_not_use_up_the_version(admin, find, town):
    register(admin)
    page = save(admin, municipality="000000")
    assert page.status == 422
    assert 'id="municipality-error"' in page.text
    assert page.submit(EDIT, municipality=town.code).status == 303
    assert find().municipality_id == town.id


def test_an_emptied_municipality_makes_it_a_service_of_all(admin, find, town):
    register(admin)
    assert save(admin, municipality=town.code).status == 303
    sector = find().sector
    assert save(admin, municipality="").status == 303
    assert find().municipality_id is None
    assert find().sector == sector


@pytest.mark.parametrize("version", [1, 999_999_999])
def test_the_smallest_and_the_largest_version_can_be_saved(admin, find, sessions, version):
    register(admin)
    with transaction(sessions) as db:
        db.get(Client, "care-booking").version = version
    assert save(admin, name_ja="予約").status == 303
    assert find().name_in("ja") == "予約"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "１"])
def test_a_version_that_never_was_saves_nothing(admin, find, version):
    register(admin)
    assert save(admin, version=version, name_ja="x").status == 422
    assert find().name_in("ja") == "一時あずかり予約"


def test_a_kind_of_which_nothing_is_ticked_is_asked_for(admin):
    page = register(admin, grant_types=[])
    assert page.status == 422
    assert 'id="grant_types-error"' in page.text
    assert "使う方式（grant）：入力してください。" in page.text


def test_of_an_empty_form_the_errors_come_in_the_order_of_its_fields(admin):
    page = register(admin, name_ja="", redirect_uris="", default_max_age="x", municipality="x")
    shown = re.findall(
        r'<li><a href="#([a-z_]+)">', page.text.partition("error-summary")[2].split("</ul>")[0]
    )
    assert shown[:2] == ["name_ja", "redirect_uris"]
    assert len(shown) == 4
    assert shown == sorted(shown, key=lambda name: page.text.index(f'id="{name}"'))
    assert "サービスの名前：入力してください。" in page.text


def test_a_key_that_is_missing_is_said_at_its_algorithm(admin, sessions):
    with transaction(sessions) as db:
        db.execute(delete(SigningKey).where(SigningKey.alg == "PS256"))
    page = register(admin, userinfo_signed_response_alg="PS256")
    assert page.status == 422
    assert 'id="userinfo_signed_response_alg-error"' in page.text


def test_the_page_says_how_a_service_came_and_when(admin, sessions):
    register(admin)
    for path in ("/admin/clients", "/admin/clients/care-booking"):
        page = admin.get(path)
        assert "画面で登録" in page.text
        assert "2026年" in page.text
    for origin, words in (
        (ClientOrigin.COMMAND_LINE, "コマンド・ファイルで登録"),
        (ClientOrigin.REGISTRATION, "サービスが自分で登録"),
        (ClientOrigin.SEED, "見本のデータ"),
    ):
        with transaction(sessions) as db:
            db.get(Client, "care-booking").origin = origin
        assert words in admin.get("/admin/clients").text


def test_a_logo_that_cannot_be_read_is_said(admin, elsewhere):
    register(admin, logo_uri="https://booking.example/logo.png")
    assert "ロゴを読み込めませんでした" in admin.get("/admin/clients/care-booking").text
