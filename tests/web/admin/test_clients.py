"""The console page of services."""

import ast
import re

import pytest
from sqlalchemy import select

from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.grants.clients import find_any_client, find_client
from idp.model.clients import Client, ClientSecret
from idp.model.staff import Role
from idp.model.upkeep import AuditEvent
from tests.architecture.source import ROOT

TYPED = {
    "client_id": "care-booking",
    "name_ja": "一時あずかり予約",
    "name_en": "Care booking",
    "operator_ja": "架空市こども課",
    "redirect_uris": "https://booking.example/callback\nhttps://booking.example/other",
    "post_logout_redirect_uris": "https://booking.example/",
    "initiate_login_uri": "https://booking.example/login",
    "backchannel_logout_uri": "https://booking.example/backchannel",
    "application_type": "web",
    "auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "household",
}


def register(admin, **typed):
    return admin.get("/admin/clients/new").submit("/admin/clients/new", **(TYPED | typed))


def secret_on(page):
    return re.search(r'code-number">([^<]+)</code>', page.text)[1]


@pytest.fixture
def find(sessions):
    def run(client_id="care-booking"):
        with transaction(sessions) as db:
            return find_any_client(db, client_id)

    return run


def test_a_service_is_registered_and_listed(admin, find):
    page = register(admin)
    assert page.status == 200
    client = find()
    assert client.redirect_uris == (
        "https://booking.example/callback",
        "https://booking.example/other",
    )
    assert client.scopes == {"openid", "household"}
    assert client.name_in("en") == "Care booking"
    listed = admin.get("/admin/clients")
    assert "一時あずかり予約" in listed.text
    assert "/admin/clients/care-booking" in listed.links


def test_ca_08_the_secret_is_shown_once(admin, sessions):
    secret = secret_on(register(admin))
    with sessions() as db:
        assert db.scalars(select(ClientSecret)).one().digest == digest(secret)
    for path in (
        "/admin/clients",
        "/admin/clients/care-booking",
        "/admin/clients/care-booking/edit",
    ):
        page = admin.get(path)
        assert page.status == 200
        assert secret not in page.text
    assert register(admin, client_id="app", auth_method="none").status == 303


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"redirect_uris": "http://booking.example/"}, "redirect_uris"),
        ({"redirect_uris": "javascript:alert(1)"}, "redirect_uris"),
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"name_ja": ""}, "name_ja"),
        ({"backchannel_logout_uri": "https://10.0.0.1/"}, "backchannel_logout_uri"),
        ({"auth_method": "private_key_jwt"}, "jwks"),
        ({"auth_method": "private_key_jwt", "jwks": "{"}, "jwks"),
        ({"municipality": "000000"}, "municipality"),
        ({"client_id": "a b"}, "client_id"),
    ],
)
def test_az_08_a_fault_comes_back_at_its_field_with_what_was_typed(admin, sessions, typed, field):
    page = register(admin, **typed)
    assert page.status == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}-error"' in page.text
    assert "Care booking" in page.text
    with sessions() as db:
        assert db.scalars(select(Client)).all() == []


def test_two_hosts_need_a_municipality(admin, town):
    uris = "https://one.example/\nhttps://two.example/"
    assert register(admin, redirect_uris=uris).status == 422
    assert register(admin, redirect_uris=uris, municipality=town.code).status == 200


def test_an_id_is_given_once(admin):
    register(admin)
    page = register(admin)
    assert page.status == 422
    assert 'href="#client_id"' in page.text


def test_a_change_holds_at_once_and_keeps_the_secret(admin, find):
    register(admin)
    before = find().secrets
    form = admin.get("/admin/clients/care-booking/edit")
    page = form.submit(
        "/admin/clients/care-booking/edit",
        **(TYPED | {"name_ja": "予約", "client_id": "other", "scope": "email"}),
    )
    assert page.location == "/admin/clients/care-booking?done=saved"
    assert find().name_in("ja") == "予約"
    assert find().scopes == {"openid", "email"}
    assert find().secrets == before
    assert find("other") is None


def test_ca_08_a_service_that_begins_to_sign_gets_a_secret_that_is_shown_once(admin, find):
    before = secret_on(register(admin))
    form = admin.get("/admin/clients/care-booking/edit")
    page = form.submit(
        "/admin/clients/care-booking/edit", **(TYPED | {"auth_method": "client_secret_jwt"})
    )
    assert page.status == 200
    assert secret_on(page) != before
    assert find().signs_with_secret
    assert {each.digest: each.sealed is None for each in find().secrets} == {
        digest(before): True,
        digest(secret_on(page)): False,
    }
    assert secret_on(page) not in admin.get("/admin/clients/care-booking").text


def test_a_change_with_a_fault_changes_nothing(admin, find):
    register(admin)
    form = admin.get("/admin/clients/care-booking/edit")
    page = form.submit("/admin/clients/care-booking/edit", **(TYPED | {"tos_uri": "ftp://x/"}))
    assert page.status == 422
    assert find().tos_uri is None


def test_ca_09_a_new_secret_works_beside_the_old_one(admin, find):
    first = secret_on(register(admin))
    page = admin.get("/admin/clients/care-booking")
    second = secret_on(page.submit("/admin/clients/care-booking/secret"))
    assert {each.digest for each in find().secrets} == {digest(first), digest(second)}
    page = admin.get("/admin/clients/care-booking")
    done = page.submit("/admin/clients/care-booking/end-old-secrets")
    assert done.location.endswith("done=secrets_ended")
    assert len(find().secrets) == 1


def test_a_service_is_stopped_and_let_go_on(admin, sessions):
    register(admin)
    page = admin.get("/admin/clients/care-booking")
    assert page.submit("/admin/clients/care-booking/disable").follow().status == 200
    with transaction(sessions) as db:
        assert find_client(db, "care-booking") is None
    page = admin.get("/admin/clients/care-booking")
    page.submit("/admin/clients/care-booking/enable")
    with transaction(sessions) as db:
        assert find_client(db, "care-booking") is not None


def test_the_document_can_be_copied_into_a_file(admin):
    register(admin)
    assert (
        "&#34;client_id&#34;: &#34;care-booking&#34;"
        in admin.get("/admin/clients/care-booking").text
    )


def test_an_unknown_service_is_not_found(admin):
    assert admin.get("/admin/clients/nobody").status == 404
    assert admin.get("/admin/clients/nobody/edit").status == 404


def test_the_start_leads_to_the_services(admin):
    assert admin.get("/admin/").location == "/admin/clients"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM_ADMIN])
@pytest.mark.parametrize("path", ["/admin/", "/admin/clients", "/admin/clients/new", "/admin/keys"])
def test_tn_01_only_administrators_come_in(enter_console, town, role, path):
    browser = enter_console(role, municipality_id=town.id)
    assert browser.get(path).status == 403


@pytest.mark.parametrize("path", ["/admin/", "/admin/clients", "/admin/clients/new", "/admin/keys"])
def test_tn_01_nobody_comes_in_without_signing_in(browser, path):
    assert browser.get(path).location.startswith("/staff/login")


def test_br_01_without_a_form_token_nothing_is_registered(admin, sessions):
    assert admin.post("/admin/clients/new", TYPED).status in (400, 403)
    with sessions() as db:
        assert db.scalars(select(Client)).all() == []


def test_every_act_is_in_the_audit_with_who_did_it(admin, sessions):
    register(admin)
    with sessions() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.name == "client.registered")).one()
        assert event.actor_id is not None
        assert event.client_id == "care-booking"


def _called_reasons():
    """Return every reason a registration can be refused with, read from the source."""
    found = set()
    for name in ("addresses", "document", "jwk", "registration"):
        tree = ast.parse((ROOT / f"idp/protocol/{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fault":
                found.add(getattr(node.args[1], "value", None))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"^(?:uri|url|keys)_[a-z_]+$", node.value))
    return found - {None, "keys"}


@pytest.mark.parametrize("tag", ["ja", "en"])
def test_every_reason_has_its_words(services, tag):
    known = services.texts.keys(tag)
    reasons = {text for text in _called_reasons() if isinstance(text, str)}
    assert {text for text in reasons if f"admin.fault.{text}" not in known} == set()
    refusals = {f"admin.refusal.{each.value}" for each in RegistrationRefusal}
    assert refusals <= known
