"""What mails say, in both languages."""

from dataclasses import replace
from uuid import uuid4

import pytest

from idp.domain.backstage.delivery import DueMail
from idp.domain.people.sites import Site

SITE = Site(
    municipality_id=uuid4(),
    code="990001",
    name="架空市",
    name_en="Kakuu City",
    service_name="子育てログイン",
    service_name_en="Kosodate Login",
    office="こども課",
    office_en="Children's Office",
    tel="0000-12-3456",
    hours="平日 8時30分から17時15分まで",
    hours_en="weekdays 8:30 to 17:15",
)
TIME = "2026-11-24T03:05:00+00:00"
URL = "https://login.kakuu.example/password/reset"
FACTS = {
    "account_issued": {"reset_page_url": URL, "login_id": None},
    "password_link": {
        "code": "123456",
        "url": f"{URL}/link?token=x",
        "minutes": 60,
        "days": 7,
        "time": TIME,
        "is_activation": False,
    },
    "login_code": {"code": "042042", "minutes": 10},
    "password_changed": {"time": TIME},
    "second_step_on": {"time": TIME},
    "second_step_off": {"time": TIME},
    "new_device": {"time": TIME, "browser": "Safari"},
    "locked": {"until": TIME},
    "proxy_invited": {"rep": "佐倉 美咲", "reset_page_url": URL},
    "proxy_added": {"proxy": "佐倉 健", "reset_page_url": URL},
    "access_changed": {},
    "email_changed": {},
}


def due(name, facts, language="ja"):
    return DueMail(
        id=uuid4(),
        name=name,
        address="misaki@example.jp",
        recipient="佐倉 美咲",
        language=language,
        site=SITE,
        facts=facts,
    )


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", FACTS)
def test_b50_b51_b53_every_mail_names_the_office_and_warns(writer, name, language):
    message = writer.write(due(name, FACTS[name], language))
    for text in (message.text, message.html):
        assert "0000-12-3456" in text
        assert "https://login.kakuu.example/" in text
        assert "佐倉 美咲" in text
        assert "{" not in text
    assert "\n" not in message.subject
    warning = {"ja": "お聞きすることはありません", "en": "We never ask for passwords"}[language]
    assert warning in message.text


@pytest.mark.parametrize(("language", "rule"), [("ja", "――――――――――"), ("en", "----------")])
def test_one_line_parts_the_office_from_the_mail(writer, language, rule):
    message = writer.write(due("account_issued", FACTS["account_issued"], language))
    assert message.text.count(rule) == 1
    assert (message.html.count("<hr>"), message.html.count(rule)) == (1, 0)


def test_a05_a13_the_given_subjects_are_used(writer):
    issued = writer.write(due("account_issued", FACTS["account_issued"]))
    reset = writer.write(due("password_link", FACTS["password_link"]))
    assert issued.subject.endswith("アカウント発行のお知らせ")
    assert reset.subject.endswith("パスワードリセットのご案内")
    assert issued.subject.startswith("【架空市 子育てログイン】")


def test_a05_the_notice_of_issue_holds_no_secret_and_leads_to_the_public_page(writer):
    message = writer.write(due("account_issued", FACTS["account_issued"]))
    assert f"\n{URL}\n" in message.text
    assert "token" not in message.text


def test_ot_12_no_code_stands_in_a_subject(writer):
    for name in ("login_code", "password_link"):
        message = writer.write(due(name, FACTS[name]))
        assert FACTS[name]["code"] not in message.subject
        assert f"\n{FACTS[name]['code']}\n" in message.text


def test_the_first_password_says_days(writer):
    facts = FACTS["password_link"] | {"is_activation": True}
    assert "7日" in writer.write(due("password_link", facts)).text
    assert "60分" in writer.write(due("password_link", FACTS["password_link"])).text


def test_d15_a_sign_in_id_that_is_no_address_is_named(writer):
    facts = FACTS["account_issued"] | {"login_id": "84213579"}
    assert "84213579" in writer.write(due("account_issued", facts)).text


def test_um_06_what_people_typed_becomes_no_markup_and_no_link(writer):
    mail = replace(
        due(
            "proxy_added", {"proxy": "<a href='https://evil.example'>x</a>", "reset_page_url": URL}
        ),
        recipient="<script>alert(1)</script>",
    )
    message = writer.write(mail)
    assert "<script>" not in message.html
    assert "evil.example'>" not in message.html
    assert 'href="https://evil' not in message.html


def test_a33_a36_a_service_writes_in_the_language_of_the_recipient(writer):
    facts = {
        "kind": "booking.created",
        "subject_ja": "予約ができました",
        "text_ja": "11月30日 10時",
        "subject_en": "Booked",
        "text_en": "30 November, 10:00",
        "client_name_ja": "一時あずかり予約",
        "client_name_en": "Childcare booking",
    }
    japanese, english = (writer.write(due("notification", facts, tag)) for tag in ("ja", "en"))
    assert "予約ができました" in japanese.subject
    assert "一時あずかり予約" in japanese.text
    assert "Booked" in english.subject
    assert "30 November" in english.text
    assert "Childcare booking" in english.text


def test_um_01_a_line_break_in_a_subject_makes_no_header(writer):
    facts = {"kind": "x", "subject_ja": "a\r\nBcc: x@evil.example", "text_ja": "b"}
    assert "\n" not in writer.write(due("notification", facts)).subject
