"""Documents at any time, consents and taking them back; nobody gets past the terms."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.base.ids import new_id
from idp.db.session import transaction
from idp.domain.grants.consents import grant_consent
from idp.domain.upkeep.audit import SYSTEM
from idp.model.documents import Agreement, DocumentKind
from idp.model.grants import Consent, TokenFamily


def agree_to_all(browser, **changes):
    page = browser.get("/").arrive()
    shown = re.findall(r'name="version_id" value="([^"]+)"', page.text)
    return page.submit("/terms", agree="1", suppress_until_changed="1", version_id=shown, **changes)


@pytest.fixture
def documents(issue):
    issue("規約の文")
    issue("方針の文", kind=DocumentKind.PRIVACY, title="プライバシーポリシー")


@pytest.mark.parametrize(("name", "words"), [("terms", "規約の文"), ("privacy", "方針の文")])
def test_a29_documents_are_open_to_all_at_any_time(browser, documents, name, words):
    page = browser.get(f"/documents/{name}")
    assert page.status == 200
    assert words in page.text


def test_a29_old_versions_stay_readable(browser, documents, issue, clock):
    clock.advance(timedelta(days=1))
    issue("新しい規約の文")
    page = browser.get("/documents/terms")
    assert "新しい規約の文" in page.text
    assert "/documents/terms?version=1" in page.links
    assert "規約の文" in browser.get("/documents/terms?version=1").text


@pytest.mark.parametrize("number", ["9", "0", "-1", "x", "99999999999", "１"])
def test_az_13_a_version_that_does_not_exist_is_not_found(browser, documents, number):
    assert browser.get(f"/documents/terms?version={number}").status == 404


def test_a29_without_documents_there_is_no_page(browser, town):
    assert browser.get("/documents/terms").status == 404


@pytest.mark.parametrize(
    "path", ["/", "/account/security", "/account/household", "/account/profile"]
)
def test_px_05_a26_nobody_jumps_past_the_terms(hers, documents, path):
    page = hers.get(path)
    assert page.location.startswith("/continue?i=")
    assert page.arrive().form("/terms").action.startswith("/terms")


def test_px_05_a_form_is_no_way_past_the_terms(hers, issue):
    form = hers.get("/account/security").form("/account/sessions/end")
    issue("規約の文")
    page = hers.post(form.action, form.fields | {"others": "1"})
    assert page.location.startswith("/continue?i=")


def test_a25_a29_after_agreeing_home_names_version_and_day(hers, documents, sessions):
    page = agree_to_all(hers).arrive()
    assert page.status == 200
    assert page.text.count("に同意（第1版）") == 2
    assert {"/documents/terms", "/documents/privacy"} <= set(page.links)
    with transaction(sessions) as db:
        assert len(db.scalars(select(Agreement)).all()) == 2
    assert "に同意しました。" in hers.get("/documents/terms").text


def test_a29_own_agreements_are_listed_beside_the_consents(hers, documents):
    agree_to_all(hers)
    page = hers.get("/account/consents")
    assert "/documents/terms?version=1" in page.links


def test_px_07_a26_declining_signs_out_and_stores_nothing(hers, documents, sessions):
    page = hers.get("/").arrive().submit("/terms", decision="decline")
    assert "同意がなかったため" in page.text
    assert hers.cookie("session") is None
    with transaction(sessions) as db:
        assert db.scalars(select(Agreement)).all() == []


@pytest.fixture
def consent(sessions, clock, mother, service):
    """The mother lets a service have her name; the service holds tokens of hers."""
    client = service("よその予約", is_consented=False)
    with transaction(sessions) as db:
        grant_consent(db, mother.id, client.id, "openid profile", actor=SYSTEM, now=clock())
        family = TokenFamily(
            id=new_id(now=clock()),
            client_id=client.id,
            account_id=mother.id,
            scope="openid profile",
            acr="x",
            amr=[],
            authenticated_at=clock(),
            created_at=clock(),
            expires_at=clock() + timedelta(days=1),
        )
        db.add(family)
    return client, family.id


def test_rt_07_a_consent_taken_back_ends_what_the_service_holds(hers, consent, sessions):
    client, family_id = consent
    page = hers.get("/account/consents")
    assert "よその予約" in page.text
    assert "お名前" in page.text
    page = page.submit("/account/consents/revoke", client_id=client.id)
    assert page.location == "/account/consents?done=revoked"
    assert "よその予約" not in page.follow().text
    with transaction(sessions) as db:
        assert db.get(TokenFamily, family_id).revoked_at is not None
        assert db.scalars(select(Consent)).one().revoked_at is not None


def test_rt_07_a_consent_of_another_person_stays(hers, his, consent, sessions):
    form = hers.get("/account/consents").form("/account/consents/revoke")
    own = his.get("/account/security").form("/account/sessions/end")
    fields = {"form_token": own.fields["form_token"], "client_id": consent[0].id}
    assert his.post(form.action, fields).status == 404
    assert "よその予約" in hers.get("/account/consents").text


def test_a29_without_consents_the_page_says_so(hers):
    assert "情報を渡しているサービスは、ありません。" in hers.get("/account/consents").text
