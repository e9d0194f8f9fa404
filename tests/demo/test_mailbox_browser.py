"""The mailbox in a real browser: no barrier, nothing from elsewhere, new mail by itself."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp.base.texts import load_texts
from idp.demo.credentials import Credentials, Login, write_credentials
from idp.demo.mailbox.message import Content, Envelope
from idp.demo.mailbox.pages import Mailbox, create_mailbox
from idp.demo.mailbox.store import MailStore
from tests.chromium import DESKTOP, PHONE, look_at, open_context
from tests.serving import Port, serving

TEXTS = load_texts(Path(__file__).parents[2] / "templates" / "texts")
NOW = datetime(2026, 11, 24, 1, 2, 13, tzinfo=UTC)

pytestmark = pytest.mark.browser


@pytest.fixture
def store(tmp_path):
    return MailStore(tmp_path / "mails.jsonl")


@pytest.fixture
def origin(store, tmp_path):
    file = tmp_path / "credentials.json"
    staff = Login("staff", "福祉 一郎", "", "ichiro@kakuu.example.jp", totp_secret="A" * 32)
    write_credentials(file, Credentials((staff,)))
    app = create_mailbox(Mailbox(store, TEXTS, file, clock=lambda: NOW))
    with serving(app, Port()) as origin:
        yield origin


def put(store, subject, text="次のページを開いてください。\n\nhttp://127.0.0.1:9/password/reset\n"):
    html = (
        "<p>次のページを<a href='http://127.0.0.1:9/'>開く</a></p><script>document.title=1</script>"
    )
    envelope = Envelope("noreply@kakuu.example.jp", ("misaki.sakura@example.jp",))
    store.add(envelope, Content(subject, text, html), now=NOW)


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", ["ja-JP", "en-GB"])
def test_every_page_is_without_barrier(chromium, origin, store, viewport, language):
    with open_context(chromium, viewport=viewport, language=language) as context:
        page = context.new_page()
        page.goto(origin)
        look_at(page, "mailbox-empty")
        put(store, "【架空市 子育てログイン】アカウント発行のお知らせ")
        page.goto(origin)
        look_at(page, "mailbox-list")
        page.goto(f"{origin}/messages/1")
        look_at(page, "mailbox-mail")


def test_a_new_mail_shows_up_by_itself_and_its_text_can_be_followed(chromium, origin, store):
    with open_context(chromium) as context:
        page = context.new_page()
        mistakes = []
        page.on("console", lambda message: mistakes.append(message.text))
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(origin)
        put(store, "パスワードリセットのご案内")
        page.get_by_role("link", name="パスワードリセットのご案内").click()
        link = page.locator(".mailbox__text a")
        assert link.get_attribute("href") == "http://127.0.0.1:9/password/reset"
        assert page.frame_locator("iframe").get_by_role("link", name="開く").is_visible()
        # The one complaint is the browser's: it did not run the script in the mail.
        assert all("script" in mistake and "sandbox" in mistake for mistake in mistakes)


def test_without_script_the_page_is_complete(chromium, origin, store):
    put(store, "ひとつめのメール")
    context = chromium.new_context(java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto(origin)
    page.get_by_label("あて先または件名の一部").fill("ｍｉｓａｋｉ")
    page.get_by_role("button", name="さがす").click()
    assert page.get_by_role("link", name="ひとつめのメール").is_visible()
    page.get_by_role("link", name="すべてのメールを見る").click()
    page.get_by_role("button", name="すべて消す").click()
    assert page.get_by_text("メールはありません").is_visible()
    context.close()
