"""The mailbox: a mail sent by SMTP is read on the page and as JSON, and bounded in every way."""

import json
import re
import smtplib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp import TOTP

from idp.base.texts import load_texts
from idp.demo.credentials import Credentials, Login, write_credentials
from idp.demo.mailbox.message import Content, Envelope, read_content, split_links
from idp.demo.mailbox.pages import Mailbox, create_mailbox
from idp.demo.mailbox.smtp import MAX_MAIL_BYTES, SmtpServer
from idp.demo.mailbox.store import Bounds, MailStore

TEXTS = load_texts(Path(__file__).parents[2] / "templates" / "texts")
NOW = datetime(2026, 11, 24, 1, 2, 13, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def store(tmp_path):
    return MailStore(tmp_path / "mails.jsonl")


@pytest.fixture
def credentials_file(tmp_path):
    file = tmp_path / "credentials.json"
    staff = Login("staff", "福祉 一郎", "", "ichiro@example.jp", totp_secret=SECRET)
    family = Login("family", "佐倉 美咲", "", "misaki@example.jp")
    write_credentials(file, Credentials((staff, family)))
    return file


@pytest.fixture
def browser(store, credentials_file):
    mailbox = Mailbox(store, TEXTS, credentials_file, clock=lambda: NOW)
    return create_mailbox(mailbox).test_client()


@pytest.fixture
def smtp(store):
    with SmtpServer(store, clock=lambda: NOW, port=0) as server:
        yield server


def letter(
    to="misaki@example.jp", subject="アカウント発行のお知らせ", text="本文です。\n", html=""
):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@example.jp", to, subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def send(server, *messages):
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        for message in messages:
            client.send_message(message)


def put(store, count=1, to="misaki@example.jp", **content):
    for number in range(count):
        parts = {"subject": f"件名 {number}", "text": "本文", "html": ""} | content
        store.add(Envelope("noreply@example.jp", (to,)), Content(**parts), now=NOW)


def test_a_mail_sent_by_smtp_is_listed_with_everything_it_says(smtp, browser):
    send(smtp, letter(text="一行目\n確認コード 123456\n", html="<p>一行目</p>"))
    [mail] = browser.get("/messages.json").json
    assert mail["from"] == "noreply@example.jp"
    assert mail["to"] == "misaki@example.jp"
    assert mail["subject"] == "アカウント発行のお知らせ"
    assert mail["text"] == "一行目\n確認コード 123456\n"
    assert mail["html"].strip() == "<p>一行目</p>"
    assert datetime.fromisoformat(mail["received_at"]) == NOW
    page = browser.get("/").text
    assert "アカウント発行のお知らせ" in page
    assert "misaki@example.jp" in page


def test_the_newest_mail_is_first(smtp, browser):
    send(smtp, letter(subject="一通目"), letter(subject="二通目"))
    subjects = [mail["subject"] for mail in browser.get("/messages.json").json]
    assert subjects == ["二通目", "一通目"]
    page = browser.get("/").text
    assert page.index("二通目") < page.index("一通目")


def test_the_recipient_is_who_the_server_was_told_not_what_the_header_claims(smtp, browser):
    with smtplib.SMTP("127.0.0.1", smtp.port) as client:
        client.send_message(letter(to="other@example.jp"), to_addrs=["misaki@example.jp"])
    [mail] = browser.get("/messages.json").json
    assert mail["to"] == "misaki@example.jp"


def test_an_address_beyond_ascii_is_accepted(smtp, browser):
    with smtplib.SMTP("127.0.0.1", smtp.port) as client:
        client.sendmail("noreply@example.jp", ["美咲@example.jp"], b"x", ["SMTPUTF8"])
    [mail] = browser.get("/messages.json").json
    assert mail["to"] == "美咲@example.jp"


def test_a_mail_above_the_size_limit_is_refused(smtp, browser):
    with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        send(smtp, letter(text="x" * 70 + "\n" + "y\n" * MAX_MAIL_BYTES))
    assert refusal.value.smtp_code == 552
    assert browser.get("/messages.json").json == []


def test_recipients_without_end_are_refused(smtp):
    with smtplib.SMTP("127.0.0.1", smtp.port) as client:
        client.ehlo()
        client.mail("noreply@example.jp")
        answers = [client.rcpt(f"a{number}@example.jp")[0] for number in range(51)]
    assert answers == [250] * 50 + [452]


def test_the_server_stops_while_a_client_is_still_connected(store):
    with SmtpServer(store, clock=lambda: NOW, port=0) as server:
        client = smtplib.SMTP("127.0.0.1", server.port)
        client.ehlo()
    client.close()
    with pytest.raises(OSError, match="refused"):
        smtplib.SMTP("127.0.0.1", server.port)


def test_scripts_get_the_mails_of_one_whole_address(store, browser):
    put(store, to="misaki@example.jp")
    put(store, to="x-misaki@example.jp")
    [mail] = browser.get("/messages.json?to=MISAKI@example.jp").json
    assert mail["to"] == "misaki@example.jp"


def test_a_person_finds_mails_by_a_part_typed_in_full_width(store, browser):
    put(store, to="misaki@example.jp", subject="ひとつめ")
    put(store, to="ken@example.jp", subject="ふたつめ")
    page = browser.get("/", query_string={"q": "ＭＩＳＡＫＩ"}).text
    assert "ひとつめ" in page
    assert "ふたつめ" not in page


def test_a_search_without_a_hit_does_not_say_that_there_is_no_mail(store, browser):
    page = browser.get("/", query_string={"q": "misaki"}).text
    assert "メールはありません" in page
    assert "ここにメールが届きます" in page
    put(store, to="ken@example.jp", subject="ふたつめ")
    page = browser.get("/", query_string={"q": "misaki"}).text
    assert "合うメールはありません" in page
    assert "ここにメールが届きます" not in page


def test_a_link_in_the_text_can_be_followed_and_the_sentence_stays_outside(store, browser):
    put(store, text="次のページです。http://127.0.0.1:8000/password/reset?x=1。よろしく\n")
    page = browser.get("/messages/1").text
    assert '<a href="http://127.0.0.1:8000/password/reset?x=1" rel="noreferrer">' in page


def test_no_other_scheme_becomes_a_link():
    pieces = split_links(
        "javascript:alert(1) data:text/html,x ftp://example.jp/ https://example.jp."
    )
    assert [piece.text for piece in pieces if piece.is_link] == ["https://example.jp"]


@given(st.text())
def test_cutting_out_links_loses_nothing(text):
    assert "".join(piece.text for piece in split_links(text)) == text


@given(
    st.binary(max_size=400)
    | st.text(alphabet=st.characters(max_codepoint=255)).map(
        lambda text: b"Subject: " + text.encode("latin-1") + b"\r\n\r\nx"
    )
)
def test_whatever_arrives_is_readable(raw):
    content = read_content(raw)
    json.dumps([content.subject, content.text, content.html]).encode()
    (content.subject + content.text + content.html).encode()


def test_an_unknown_charset_is_shown_as_far_as_it_can_be_read():
    raw = b'Subject: s\r\nContent-Type: text/plain; charset="no-such"\r\n\r\nhello\r\n'
    assert "hello" in read_content(raw).text


def test_markup_in_subject_and_text_is_text(store, browser):
    put(store, subject="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")
    for page in (browser.get("/").text, browser.get("/messages/1").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_the_html_part_stands_in_a_sandbox_that_runs_nothing(store, browser):
    put(store, html="<p>本文</p><script>alert(1)</script>")
    page = browser.get("/messages/1").text
    [sandbox] = re.findall(r'<iframe[^>]* sandbox="([^"]*)"', page)
    assert "allow-scripts" not in sandbox
    assert "allow-same-origin" not in sandbox
    policy = browser.get("/messages/1/html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert policy.startswith("sandbox ")


def test_every_page_has_a_strict_policy_and_is_not_cached(store, browser):
    put(store)
    for path in ("/", "/messages/1", "/messages/9", "/messages.json", "/totp.json"):
        headers = browser.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_another_host_name_is_refused_so_that_no_foreign_page_reads_the_mails(store, browser):
    put(store)
    assert browser.get("/messages.json", base_url="http://evil.example.jp").status_code == 421
    assert browser.get("/messages.json", base_url="http://127.0.0.1:8025").status_code == 200


def test_deleting_forgets_every_mail_and_another_site_cannot_do_it(store, browser):
    put(store, count=3)
    foreign = browser.post("/messages/delete", headers={"Origin": "http://127.0.0.1:8001"})
    assert foreign.status_code == 403
    assert len(store.newest_first()) == 3
    own = browser.post("/messages/delete", headers={"Origin": "http://localhost"})
    assert (own.status_code, own.location) == (303, "/")
    assert browser.get("/messages.json").json == []
    put(store)
    assert [mail.mail_id for mail in store.newest_first()] == [4]


def test_deleting_is_not_a_link(browser):
    assert browser.get("/messages/delete").status_code == 405


def test_a_second_start_keeps_the_mails(tmp_path, store):
    put(store, count=3)
    again = MailStore(tmp_path / "mails.jsonl")
    assert again.newest_first() == store.newest_first()
    put(again)
    assert again.newest_first()[0].mail_id == 4


def test_a_line_cut_short_by_a_crash_costs_only_its_own_mail(tmp_path, store):
    put(store, count=2)
    file = tmp_path / "mails.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert [mail.subject for mail in MailStore(file).newest_first()] == ["件名 0"]


def test_only_the_newest_mails_are_kept_in_memory_and_in_the_file(tmp_path):
    file = tmp_path / "mails.jsonl"
    store = MailStore(file, Bounds(mail_count=5))
    for _ in range(23):
        put(store)
    assert [mail.mail_id for mail in store.newest_first()] == [23, 22, 21, 20, 19]
    assert len(file.read_text().splitlines()) <= 10
    assert MailStore(file, Bounds(mail_count=5)).newest_first() == store.newest_first()


def test_large_mails_push_out_older_ones(tmp_path):
    store = MailStore(tmp_path / "mails.jsonl", Bounds(total_characters=1000))
    put(store, count=4, text="x" * 300)
    assert len(store.newest_first()) == 3


def test_the_file_is_private(tmp_path, store):
    put(store)
    assert (tmp_path / "mails.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_staffs_current_code_is_the_one_an_authenticator_shows(browser):
    [code] = browser.get("/totp.json").json
    assert code["login_id"] == "ichiro@example.jp"
    assert code["code"] == TOTP(SECRET).at(NOW)
    assert code["seconds_left"] == 17
    assert code["code"] in browser.get("/").text


def test_before_the_first_seed_there_is_no_code(tmp_path, store):
    mailbox = Mailbox(store, TEXTS, tmp_path / "absent.json", clock=lambda: NOW)
    page = create_mailbox(mailbox).test_client()
    assert page.get("/totp.json").json == []
    assert page.get("/").status_code == 200


def test_the_page_speaks_the_browsers_language_until_one_is_chosen(browser):
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    assert '<html lang="en">' in browser.get("/", headers=english).text
    assert '<html lang="ja">' in browser.get("/", headers={"Accept-Language": "ko"}).text
    assert browser.get("/language?to=ja").status_code == 303
    assert '<html lang="ja">' in browser.get("/", headers=english).text


def test_an_unknown_language_or_mail_or_file_is_no_error_of_the_server(browser):
    assert browser.get("/language?to=xx").status_code == 303
    assert browser.get("/messages/1").status_code == 404
    assert browser.get("/messages/x").status_code == 404
    assert browser.get("/static/..%2f..%2fsettings%2fschema.py").status_code == 404


def test_its_own_style_and_script_are_served(browser):
    with browser.get("/static/mailbox.css") as style, browser.get("/static/mailbox.js") as script:
        assert style.mimetype == "text/css"
        assert "javascript" in script.mimetype


def test_a_mail_received_years_ago_is_still_listed(store, browser):
    store.add(
        Envelope("a@example.jp", ("b@example.jp",)),
        Content("古いメール", "x", ""),
        now=NOW - timedelta(days=3650),
    )
    assert "古いメール" in browser.get("/").text
