"""The step that asks to agree, as a person meets it on her way in."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.documents.versions import NewText, NewVersion, publish
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.documents import Agreement, DocumentKind
from tests.web.pages import Browser


@pytest.fixture
def issue(sessions, clock, town):
    def run(text, kind=DocumentKind.TERMS, *, is_material=True):
        version = NewVersion(
            kind=kind,
            texts=(NewText("ja", f"# 文書\n\n{text}", summary=f"{text}になりました"),),
            is_material=is_material,
            effective_at=clock(),
        )
        with transaction(sessions) as db:
            return publish(db, town.id, version, actor=COMMAND_LINE, now=clock())

    return run


@pytest.fixture
def documents(issue):
    issue("規約の文")
    issue("方針の文", DocumentKind.PRIVACY)


@pytest.fixture
def agreements(sessions):
    def run():
        with transaction(sessions) as db:
            return db.scalars(select(Agreement)).all()

    return run


def agree(page, **typed):
    shown = re.findall(r'name="version_id" value="([^"]+)"', page.text)
    return page.submit("/terms", **({"agree": "1", "version_id": shown} | typed))


def test_a25_b20_the_terms_come_after_the_code_and_before_home(browser, documents, sign_in):
    page = sign_in(browser).arrive()
    assert "利用規約・プライバシーポリシーに関する同意" in page.title
    assert "規約の文" in page.text
    assert "方針の文" in page.text
    assert agree(page).arrive().title.startswith("ホーム画面")


def test_a25_without_the_tick_nothing_is_agreed_to(browser, documents, sign_in, agreements):
    page = agree(sign_in(browser).arrive(), agree="")
    assert page.status == 422
    assert 'role="alert"' in page.text
    assert agreements() == []


def test_a27_without_the_second_tick_the_next_sign_in_asks_again(app, browser, documents, sign_in):
    assert agree(sign_in(browser).arrive()).arrive().title.startswith("ホーム画面")
    page = sign_in(Browser(app)).arrive()
    assert "関する同意" in page.title


def test_a27_with_the_second_tick_the_next_sign_in_goes_on(app, browser, documents, sign_in):
    agree(sign_in(browser).arrive(), suppress_until_changed="1")
    assert sign_in(Browser(app)).arrive().title.startswith("ホーム画面")


def test_a28_px_04_a_material_change_is_asked_with_its_summary(
    app, browser, documents, issue, sign_in, clock
):
    agree(sign_in(browser).arrive(), suppress_until_changed="1")
    clock.advance(timedelta(minutes=1))
    issue("新しい規約の文")
    page = sign_in(Browser(app)).arrive()
    assert "新しい規約の文になりました" in page.text
    assert "方針の文" not in page.text


def test_px_04_a_version_replaced_meanwhile_is_not_agreed_to(
    browser, documents, issue, sign_in, agreements
):
    page = sign_in(browser).arrive()
    issue("新しい規約の文")
    page = agree(page)
    assert page.status == 422
    assert "新しい規約の文" in page.text
    assert agreements() == []


@pytest.mark.parametrize("invented", [["x"], [], ["019d468d-ee80-791c-90bd-f1da233451db"]])
def test_px_04_invented_versions_are_not_agreed_to(
    browser, documents, sign_in, agreements, invented
):
    assert agree(sign_in(browser).arrive(), version_id=invented).status == 422
    assert agreements() == []


def test_px_07_a26_declining_ends_the_sign_in(browser, documents, sign_in, agreements):
    page = sign_in(browser).arrive().submit("/terms", decision="decline")
    assert "同意がなかったため" in page.text
    assert browser.cookie("session") is None
    assert agreements() == []


def test_px_05_home_leads_back_to_the_terms(browser, documents, sign_in):
    sign_in(browser)
    assert "関する同意" in browser.get("/").arrive().title
