"""One person's page and what its buttons do (A03, A37, A43, B25-B27, D3)."""

import html
from datetime import date, timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from idp.base.dates import TOKYO
from idp.base.texts import format_datetime
from idp.db.session import reading, transaction
from idp.model.households import Membership, MembershipStatus
from idp.model.people import Account, AccountStatus, ProtectionFlag
from idp.model.staff import Role
from idp.model.upkeep import AuditEvent, OutboxMessage, OutboxState
from tests.factories import make_child


def account(sessions, account_id):
    with reading(sessions) as db:
        row = db.get_one(Account, account_id)
        db.expunge(row)
        return row


def test_a03_the_page_says_what_became_of_the_notice(sessions, clock, clerk, here):
    path = f"/staff/people/{here.waiting}"
    clerk.get(path).submit(f"{path}/send-again")
    assert "送信待ち" in clerk.get(path).text
    with transaction(sessions) as db:
        [mail] = db.scalars(select(OutboxMessage))
        mail.state, mail.last_problem = OutboxState.FAILED, "550 5.1.1"
    page = clerk.get(path)
    assert "不達" in page.text
    assert "550 5.1.1" in page.text


def test_a03_sending_again_too_soon_is_answered_with_when(clock, clerk, here):
    path = f"/staff/people/{here.waiting}"
    page = clerk.get(path)
    first = page.submit(f"{path}/send-again")
    second = page.submit(f"{path}/send-again")
    assert (first.status, second.status) == (303, 429)
    assert second.headers["Retry-After"] == "30"
    clock.advance(timedelta(seconds=30))
    assert clerk.get(path).submit(f"{path}/send-again").status == 303


def test_a03_what_is_not_possible_yet_is_said_with_a_minute_to_come(clock, clerk, here):
    clock.advance(timedelta(seconds=20))
    path = f"/staff/people/{here.waiting}"
    page = clerk.get(path)
    page.submit(f"{path}/send-again")
    refused = page.submit(f"{path}/send-again")
    assert "いまはできません" in refused.text
    assert "入力した内容を見直してください" not in refused.text
    next_minute = clock() + timedelta(seconds=40)
    assert f"{format_datetime('ja', next_minute)}から、また送れます" in refused.text


def test_a03_everyone_who_waits_is_mailed_with_one_button(clerk, here, mailbox):
    page = clerk.get("/staff/mail")
    assert "1人がまだ始めていません" in page.text
    assert page.submit("/staff/mail/send-again").status == 303
    assert [name for name, _ in mailbox()] == ["account_issued"]


def test_in_04_the_list_is_given_as_text(sessions, clerk, here):
    with transaction(sessions) as db:
        db.get_one(Account, here.waiting).family_name = "=1+1"
    page = clerk.get("/staff/mail.csv")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.text.startswith('\ufeff"氏名"')
    assert '"\'=1+1 待子"' in page.text
    issued_at = account(sessions, here.waiting).issued_at.astimezone(TOKYO)
    assert f'"{issued_at:%Y-%m-%dT%H:%M:%S}+09:00"' in page.text


def test_a43_an_address_is_corrected_with_a_reason(sessions, clerk, here, mailbox):
    path = f"/staff/people/{here.guardian}/address"
    page = clerk.get(path)
    refused = page.submit(path, email="ｎｅｗ@example.jp", reason="")
    assert refused.status == 422
    assert refused.form(path).fields["email"] == "ｎｅｗ@example.jp"
    assert page.submit(path, email="x", reason="書きまちがい").status == 422
    done = page.submit(path, email="ｎｅｗ@example.jp", reason="書きまちがい")
    assert done.location == f"/staff/people/{here.guardian}?done=address"
    assert account(sessions, here.guardian).email == "new@example.jp"
    assert [name for name, _ in mailbox()].count("account_issued") == 1
    assert page.submit(path, email="new@example.jp", reason="x").status == 422


@pytest.mark.parametrize(
    ("action", "who", "status"),
    [
        ("suspend", "guardian", AccountStatus.SUSPENDED),
        ("resume", "suspended", AccountStatus.ACTIVE),
        ("close", "guardian", AccountStatus.CLOSED),
        ("unlock", "guardian", AccountStatus.ACTIVE),
    ],
)
def test_a43_an_account_is_changed_with_a_reason(sessions, clerk, here, action, who, status):
    person = getattr(here, who)
    path = f"/staff/people/{person}/{action}"
    page = clerk.get(path)
    assert page.submit(path, reason="").status == 422
    assert page.submit(path, reason="申し出").location == f"/staff/people/{person}?done={action}"
    assert account(sessions, person).status is status


def test_a43_a_change_that_makes_no_sense_is_refused(clerk, here):
    path = f"/staff/people/{here.guardian}/resume"
    page = clerk.get(path).submit(path, reason="申し出")
    assert page.status == 422
    assert "停止していません" in page.text


def test_b25_b26_b27_help_at_the_counter(sessions, clerk, here, mailbox):
    path = f"/staff/people/{here.guardian}/recover"
    page = clerk.get(path)
    assert "password" not in page.form(path).names
    facts = {"fact_name": "1", "fact_child_birthdate": "1", "document": "passport"}
    for missing in ("fact_name", "document"):
        wanted = {name: text for name, text in facts.items() if name != missing}
        assert page.submit(path, **wanted, reason="窓口").status == 422
    assert page.submit(path, **facts, reason="").status == 422
    done = page.submit(path, **facts, reason="窓口")
    assert done.location == f"/staff/people/{here.guardian}?done=recovered"
    assert "窓口、パスポート" in done.follow().text
    assert [name for name, _ in mailbox()] == ["account_issued"]


def test_b26_a_wrong_field_keeps_what_was_ticked(clerk, here):
    path = f"/staff/people/{here.guardian}/recover"
    page = clerk.get(path).submit(path, fact_name="1", email="x", reason="窓口")
    assert page.status == 422
    fields = page.form(path).fields
    assert (fields["fact_name"], fields["reason"]) == ("1", "窓口")
    assert "fact_phone" not in fields


def test_d3_protection_is_set_by_one_and_lifted_by_two(sessions, clerk, here, sign_in_as):
    person = f"/staff/people/{here.guardian}"
    page = clerk.get(f"{person}/protect")
    assert page.submit(f"{person}/protect", reason="").status == 422
    assert page.submit(f"{person}/protect", reason="避難中").status == 303
    assert page.submit(f"{person}/protect", reason="避難中").status == 422
    assert "避難中" in clerk.get(person).text
    assert clerk.get(person).submit(f"{person}/protection/lift").status == 303
    assert clerk.get(person).submit(f"{person}/protection/lift").status == 422
    colleague = sign_in_as(here, Role.MUNICIPALITY_STAFF)
    assert colleague.get(person).submit(f"{person}/protection/lift").status == 303
    with transaction(sessions) as db:
        [flag] = db.scalars(select(ProtectionFlag))
        assert flag.lifted_by != flag.lift_asked_by


@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.ISSUE_ONLY])
def test_d3_who_may_not_protect_does_not_see_it(clerk, here, sign_in_as, role):
    person = f"/staff/people/{here.guardian}"
    clerk.get(f"{person}/protect").submit(f"{person}/protect", reason="避難中")
    page = sign_in_as(here, role).get(person)
    assert page.status == 200
    for text in ("支援措置", "避難中", "protect"):
        assert text not in page.text


def test_a03_who_has_no_address_is_given_one_not_corrected(sessions, clerk, here):
    path = f"/staff/people/{here.waiting}"
    assert "アドレスを直す" in clerk.get(path).text
    with transaction(sessions) as db:
        db.get_one(Account, here.waiting).email = None
    page = clerk.get(path)
    assert "アドレスを登録する" in page.text
    assert "アドレスを直す" not in page.text


def test_a37_a_proxy_is_taken_out_at_the_desk(sessions, clerk, here, mailbox):
    path = f"/staff/households/{here.household}/proxies/{here.membership}/remove"
    page = clerk.get(path)
    done = page.submit(path)
    assert done.location == f"/staff/households/{here.household}?done=proxy_removed"
    with transaction(sessions) as db:
        assert db.get_one(Membership, here.membership).status is MembershipStatus.ENDED
    assert [name for name, _ in mailbox()] == ["access_changed"]
    assert page.submit(path).status == 404
    assert path not in clerk.get(f"/staff/households/{here.household}").links


def test_a37_a_proxy_is_added_at_the_desk(sessions, clerk, here, mailbox):
    path = f"/staff/households/{here.household}/proxies/new"
    page = clerk.get(path)
    typed = {"family_name": "佐倉", "given_name": "ハル", "relationship": "grandparent"}
    refused = page.submit(path, **typed)
    assert refused.status == 422
    assert 'href="#email"' in refused.text
    done = refused.submit(path, **typed, email="haru@example.jp")
    assert done.location == f"/staff/households/{here.household}?done=proxy_added"
    names = sorted(name for name, _ in mailbox())
    assert names == ["account_issued", "proxy_added", "proxy_invited"]
    assert "佐倉 ハル" in done.follow().text


def test_b06_a_child_is_added_at_the_desk(clerk, here):
    path = f"/staff/households/{here.household}/children/new"
    page = clerk.get(path)
    born = {"birthdate_year": "R8", "birthdate_month": "3", "birthdate_day": "1"}
    assert page.submit(path, **born).status == 422
    done = page.submit(path, name="佐倉 みお", **born)
    assert "佐倉 みお" in done.follow().text


def test_b06_a_form_of_a_child_that_is_sent_twice_adds_one(sessions, clerk, here):
    path = f"/staff/households/{here.household}/children/new"
    page = clerk.get(path)
    child = {"name": "佐倉 みお", "birthdate_year": "R8", "birthdate_month": "3"}
    for day, count in (("1", 1), ("1", 1), ("2", 2)):
        done = page.submit(path, **child, birthdate_day=day)
        assert done.location == f"/staff/households/{here.household}?done=child_added"
        assert done.follow().text.count("佐倉 みお") == count
    with transaction(sessions) as db:
        assert [event.name for event in db.query(AuditEvent)].count("child.added") == 2


def test_a42_a_child_that_aged_out_stays_and_is_shown_as_such(sessions, clerk, here, clock):
    with transaction(sessions) as db:
        born = date(2020, 4, 2)
        make_child(db, household_id=here.household, name="上の子", birthdate=born, now=clock())
    page = clerk.get(f"/staff/households/{here.household}")
    assert "上の子" in page.text
    assert "対象の年齢を過ぎた" in page.text
    assert "2023年3月31日" in page.text


def test_a46_the_search_page_finds_by_what_a_caller_can_tell(clerk, here):
    page = clerk.get("/staff/?q=ひより")
    assert "佐倉 美咲" in page.text
    assert f"/staff/people/{here.guardian}" in page.links
    assert "当てはまる方がいません" in clerk.get("/staff/?q=%25").text


def test_b02_a_search_that_is_too_long_is_given_back_with_what_is_wrong(clerk):
    text = "佐倉 <b>" + "a" * 101
    page = clerk.get(f"/staff/?q={quote(text)}&status=active&mail=sent")
    assert page.status == 422
    assert f'value="{html.escape(text)}"' in page.text
    assert page.form("/staff/").fields | {"q": ""} == {"q": "", "status": "active", "mail": "sent"}


@pytest.mark.parametrize("sent", ["a%0Ab", "%E2%80%A8"])
def test_in_02_a_search_with_control_characters_is_refused(clerk, sent):
    assert clerk.get(f"/staff/?q={sent}").status == 422


def test_tn_05_nothing_of_another_town_is_shown_anywhere(clerk, here, there):
    for path in ("/staff/?q=佐倉", "/staff/?q=", "/staff/mail", "/staff/audit", "/staff/mail.csv"):
        page = clerk.get(path)
        assert page.status == 200
        for each in (there.guardian, there.waiting, there.household):
            assert str(each) not in page.text
    assert "5人見つかりました" in clerk.get("/staff/?q=").text


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/staff/",
        "/staff/register",
        "/staff/mail",
        "/staff/audit",
        "/staff/people/{guardian}",
        "/staff/people/{waiting}",
        "/staff/people/{draft}",
        "/staff/people/{suspended}",
        "/staff/people/{guardian}/address",
        "/staff/people/{guardian}/suspend",
        "/staff/people/{guardian}/close",
        "/staff/people/{guardian}/unlock",
        "/staff/people/{guardian}/recover",
        "/staff/people/{guardian}/protect",
        "/staff/households/{household}",
        "/staff/households/{household}/proxies/new",
        "/staff/households/{household}/proxies/{membership}/remove",
        "/staff/households/{household}/children/new",
    ],
)
def test_a02_every_page_is_there_in_both_languages(sign_in, here, path, language):
    browser = sign_in(here.clerk, language=language)
    browser.set_cookie("language", language)
    page = browser.get(path.format(**vars(here)))
    assert page.status == 200
    assert page.headers["Content-Language"] == language
    assert f'<html lang="{language}"' in page.text
