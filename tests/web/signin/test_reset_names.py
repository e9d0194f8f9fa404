"""The way back from the request page, and one name for the link."""

from pathlib import Path

import pytest

from tests.web.applications import ORIGIN

TEXTS = Path(__file__).parents[3] / "templates/texts/ja"
LINK = "パスワード設定用のリンク"


@pytest.fixture
def request_page(browser, town):
    return browser.get("/password/reset")


def test_a11_the_request_page_has_one_main_button_and_the_way_back(request_page):
    assert ">メール送信<" in request_page.text.replace("\n", "").replace("  ", "")
    assert '<a class="button button--secondary" href="/login">戻る</a>' in request_page.text


def test_a11_going_back_shows_the_sign_in_page(browser, request_page):
    assert "利用者向けログイン" in browser.get("/login").text


def test_a17_the_link_has_one_name_everywhere(browser, mother, mailbox, clock):
    page = browser.get("/password/reset")
    page.submit(email=mother.email, email_confirm=mother.email)
    [(_, facts)] = mailbox("password_link")
    assert facts["url"].startswith(f"{ORIGIN}/password/reset/link?")
    catalogues = {path.name: path.read_text(encoding="utf-8") for path in TEXTS.glob("*.toml")}
    assert catalogues["mail.toml"].count(LINK) == 2
    for other in ("ログインURL", "ログイン用のURL", "パスワードリセット用のリンク", "設定リンク"):
        assert all(other not in text for text in catalogues.values())
