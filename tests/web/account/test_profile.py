"""What is registered; what the person changes herself, and what the office does."""

from idp.db.session import transaction
from idp.model.people import Account


def test_a43_registered_facts_are_shown_and_the_office_changes_them(hers, sessions, mother):
    with transaction(sessions) as db:
        row = db.get(Account, mother.id)
        row.phone_number = "+819012345678"
        row.postal_code, row.locality = "0000000", "架空市1-2"
        row.family_name_kana, row.given_name_kana = "サクラ", "ミサキ"
    page = hers.get("/account/profile")
    for shown in ("佐倉 美咲", "サクラ ミサキ", mother.email, "〒000-0000 架空市1-2", "日本語"):
        assert shown in page.text
    assert "0000-12-3456" in page.text
    assert [link for link in page.links if link.startswith("/account/language")]


def test_a43_a_missing_fact_is_said_to_be_missing(hers):
    assert "登録なし" in hers.get("/account/profile").text


def test_a43_the_language_of_pages_and_mails_is_hers_to_change(hers, sessions, mother):
    page = hers.get("/account/language")
    form = page.form("/language")
    page = hers.post("/language", form.fields | {"to": "en"})
    assert page.location == "/account/profile"
    assert page.follow().headers["Content-Language"] == "en"
    with transaction(sessions) as db:
        assert db.get(Account, mother.id).locale == "en"


def test_the_accessibility_statement_is_open_to_all(browser, town):
    page = browser.get("/accessibility")
    assert page.status == 200
    assert "WCAG 2.2" in page.text


def test_the_pages_of_a_person_are_hers_only(browser, town):
    for path in ("security", "consents", "household", "profile", "language"):
        page = browser.get(f"/account/{path}")
        assert page.location == f"/login?next=%2Faccount%2F{path}"
