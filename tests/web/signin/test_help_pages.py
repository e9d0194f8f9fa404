"""Pages that help: without a sign-in, in both languages, nothing asked and nothing written."""

import pytest

from tests.web.pages import Browser

PAGES = {
    "/help/mail": ("メールが届かないとき", "email"),
    "/help/no-mail": ("メールを使っていない方へ", "email"),
    "/help/first-time": ("はじめて使う方へ", "first"),
    "/help/shared-device": ("共用の端末で使うとき", "device"),
    "/help/phishing": ("にせのメールやサイトに注意", "id.kakuu.example.jp"),
    "/accessibility": ("アクセシビリティ", "WCAG"),
}


@pytest.mark.parametrize("path", PAGES)
def test_a18_a40_b48_b50_every_page_of_help_stands_open(browser, town, path):
    page = browser.get(path)
    assert page.status == 200
    assert PAGES[path][0] in page.title
    # Help from a person is in the same place on all of them.
    for said in ("架空市", "こども課", "0000-12-3456"):
        assert said in page.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_help_is_in_english_too(app, town, path):
    page = Browser(app, language="en").get(path)
    assert page.headers["Content-Language"] == "en"
    assert PAGES[path][1].lower() in page.text.lower()


def test_a18_the_three_checks_when_a_mail_does_not_come(browser, town):
    text = browser.get("/help/mail").text
    for said in ("迷惑メール", "アドレス", "受信リスト", ">kakuu.example.jp<"):
        assert said in text


def test_a40_a41_without_mail_the_way_leads_to_the_office_and_the_facility(browser, town):
    text = browser.get("/help/no-mail").text
    assert "こども課" in text
    assert "施設" in text


def test_a06_first_time_users_find_the_way_from_the_sign_in_page(browser, town):
    page = browser.get("/login")
    assert {"/help/first-time", "/help/no-mail"} <= set(page.links)
    assert "/password/reset" in browser.get("/help/first-time").links


def test_b45_b46_b50_b51_b52_the_only_address_and_what_we_never_ask(browser, town):
    text = browser.get("/help/phishing").text
    for said in (
        "https://id.kakuu.example.jp/",
        "パスワードや確認コードをたずねること",
        "ブックマーク",
        "パスワード管理アプリ",
        "パスワードを書いた紙",
    ):
        assert said in text


def test_b53_every_page_names_the_office_to_ask(browser, town):
    for path in ("/login", "/password/reset", "/help/mail"):
        assert "0000-12-3456" in browser.get(path).text


def test_b48_b49_sharing_a_device_does_not_mean_sharing_an_account(browser, town):
    text = browser.get("/help/shared-device").text
    assert "パスワードを教えあわないでください" in text
    assert "ブラウザをとじます" in text
    assert "5分間" in text


def test_b42_no_page_loads_anything_from_elsewhere(browser, town):
    for path in (*PAGES, "/login", "/password/reset"):
        page = browser.get(path)
        assert 'src="http' not in page.text
        assert "default-src 'none'; script-src 'self' " in page.headers["Content-Security-Policy"]
