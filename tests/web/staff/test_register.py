"""Registering a family page by page (A01-A05, A34, A39, B02, B06)."""

import re

import pytest
from sqlalchemy import func, select

from idp.db.session import reading, transaction
from idp.model.households import Child, Household, Membership, MembershipRole
from idp.model.people import Account, AccountStatus
from idp.model.staff import Role

GUARDIAN = {
    "family_name": "山田",
    "given_name": "花子",
    "family_name_kana": "やまだ",
    "given_name_kana": "ﾊﾅｺ",
    "email": "ｈａｎａｋｏ@example.jp",
    "phone": "０９０-００００-９９９９",
    "application_number": "Ｒ8-00999",
}
CHILD = {
    "child1_name": "山田 はると",
    "child1_birthdate_year": "令和7",
    "child1_birthdate_month": "４",
    "child1_birthdate_day": "2",
}
PROXY = {
    "proxy1_family_name": "山田",
    "proxy1_given_name": "太郎",
    "proxy1_email": "taro.yamada@example.jp",
    "proxy1_relationship": "father",
}


@pytest.fixture
def form(clerk, here):
    return clerk.get("/staff/register")


def count(sessions, table):
    with reading(sessions) as db:
        return db.scalar(select(func.count()).select_from(table))


def find(sessions, email):
    with reading(sessions) as db:
        row = db.scalar(select(Account).where(Account.email == email))
        db.expunge(row)
        return row


def check(form, **typed):
    return form.submit("/staff/register", **(GUARDIAN | CHILD | typed), step="check")


def test_a02_a04_the_check_page_shows_everything_and_writes_nothing(sessions, form):
    before = count(sessions, Account)
    page = check(form)
    assert page.status == 200
    for text in (
        "山田 花子",
        "ヤマダ ハナコ",
        "hanako@example.jp",
        "090-0000-9999",
        "2025年4月2日",
        "R8-00999",
    ):
        assert text in page.text
    assert count(sessions, Account) == before


def test_a04_the_check_page_promises_a_mail_only_to_an_address(form):
    assert "案内のメールが送られます" in check(form).text
    assert "案内のメールが送られます" not in check(form, email="").text


def test_a34_the_check_page_shows_what_a_proxy_may_do_and_in_which_language(form):
    may = {"proxy1_category_booking": "1", "proxy1_locale": "en"}
    page = form.submit("/staff/register", **GUARDIAN, **PROXY, add="proxy")
    page = check(page, **PROXY, **may)
    assert page.status == 200
    assert "できること" in page.text
    assert page.text.count("<dd>English</dd>") == 1


def test_a03_a04_a05_issuing_is_a_button_of_its_own_and_the_notice_leaves(sessions, form, mailbox):
    page = check(form).submit("/staff/register", step="issue")
    account = find(sessions, "hanako@example.jp")
    assert page.status == 303
    assert page.location == f"/staff/people/{account.id}?done=registered"
    assert account.status is AccountStatus.ISSUED
    [(name, facts)] = mailbox()
    assert name == "account_issued"
    assert facts["reset_page_url"] == "https://id.kakuu.example.jp/password/reset"
    shown = page.follow()
    assert "登録して発行しました" in shown.text


def test_a04_a_family_may_be_registered_and_issued_later(sessions, form, mailbox):
    page = check(form).submit("/staff/register", step="draft").follow()
    account = find(sessions, "hanako@example.jp")
    assert account.status is AccountStatus.DRAFT
    assert mailbox() == []
    issued = page.submit(f"/staff/people/{account.id}/issue")
    assert issued.location.endswith("?done=issued_mailed")
    assert [name for name, _ in mailbox()] == ["account_issued"]


def test_a39_a_family_without_an_address_is_registered_without_sign_in(sessions, form, mailbox):
    page = check(form, email="")
    assert "画面からのログインはできません" in page.text
    done = page.submit("/staff/register", step="issue")
    assert done.location.endswith("?done=registered_no_mail")
    assert mailbox() == []


def test_a34_a_proxy_is_registered_with_the_family(sessions, form, mailbox):
    page = form.submit("/staff/register", **GUARDIAN, **CHILD, add="proxy")
    assert page.status == 200
    page = page.submit("/staff/register", **PROXY, step="check")
    assert "山田 太郎（父）" in page.text
    page.submit("/staff/register", step="issue")
    proxy = find(sessions, "taro.yamada@example.jp")
    with transaction(sessions) as db:
        [membership] = db.scalars(select(Membership).where(Membership.account_id == proxy.id))
        assert (membership.role, membership.categories) == (MembershipRole.PROXY, {})
    names = sorted(name for name, _ in mailbox())
    assert names == ["account_issued", "account_issued", "proxy_added", "proxy_invited"]


def test_b06_rows_come_and_go_and_nothing_typed_is_lost(form):
    page = form.submit("/staff/register", **GUARDIAN, **CHILD, add="child")
    fields = page.form("/staff/register").fields
    assert fields["child1_name"] == "山田 はると"
    assert fields["email"] == GUARDIAN["email"]
    assert "child2_name" in fields
    page = page.submit("/staff/register", child2_name="山田 みお", remove="child1")
    fields = page.form("/staff/register").fields
    assert fields["child1_name"] == "山田 みお"
    assert "child2_name" not in fields


def test_b06_a_new_row_is_where_its_button_leads_to(form):
    """A browser puts the focus on the field that the fragment of an address names."""
    page = form
    for kind in ("child", "proxy", "child", "proxy"):
        button = re.search(rf'<button[^>]* name="add" value="{kind}"[^>]*>', page.text)[0]
        action, _, target = re.search(r'formaction="([^"]*)"', button)[1].partition("#")
        assert action == "/staff/register"
        assert f'id="{target}"' not in page.text
        page = page.submit("/staff/register", add=kind)
        assert f'<input class="input" id="{target}"' in page.text
    assert (
        len(re.findall(r'name="remove"[^>]* formaction="/staff/register#s-children"', page.text))
        == 3
    )
    for section in ("s-children", "s-proxy"):
        assert f'id="{section}"' in page.text


def test_b02_what_is_wrong_is_said_by_field_and_kept(sessions, form):
    before = count(sessions, Account)
    page = check(form, email="hanako@examplejp", phone="1", child1_birthdate_month="13")
    assert page.status == 422
    assert page.title.startswith("エラー：")
    for field in ("email", "phone", "child1_birthdate"):
        assert f'href="#{field}"' in page.text
        assert f'id="{field}-error"' in page.text
    assert page.form("/staff/register").fields["email"] == "hanako@examplejp"
    assert count(sessions, Account) == before


def test_b06_an_empty_row_is_no_child(sessions, form):
    before = count(sessions, Child)
    page = form.submit("/staff/register", **GUARDIAN, step="check")
    page.submit("/staff/register", step="issue")
    assert count(sessions, Child) == before


def test_a04_going_back_from_the_check_page_keeps_everything(form):
    page = check(form).submit("/staff/register", edit="1")
    fields = page.form("/staff/register").fields
    assert fields["family_name"] == "山田"
    assert fields["child1_birthdate_year"] == "令和7"


def test_a04_pressing_twice_registers_once(sessions, form):
    page = check(form)
    page.submit("/staff/register", step="issue")
    again = page.submit("/staff/register", step="issue")
    assert again.location.endswith("?done=known")
    with transaction(sessions) as db:
        rows = db.scalars(select(Household).where(Household.application_number == "R8-00999"))
        assert len(rows.all()) == 1


def test_a04_a_number_that_is_registered_is_noticed(form):
    page = check(form)
    page.submit("/staff/register", step="issue")
    other = {"given_name": "次郎", "email": "jiro@example.jp"}
    again = check(form, **other)
    assert again.status == 422
    assert 'href="#application_number"' in again.text
    refused = check(form, **other, household="existing")
    assert refused.status == 422
    assert "代理の方として加えてください" in refused.text


def test_in_05_fields_of_another_kind_are_ignored(sessions, form, here, there):
    page = check(
        form,
        municipality_id=str(there.id),
        status="active",
        is_admin="1",
        role="system_admin",
        id=str(here.guardian),
        login_id="root",
        created_at="2000-01-01",
        household_id=str(there.household),
    )
    page.submit("/staff/register", step="issue", municipality_id=str(there.id), role="admin")
    account = find(sessions, "hanako@example.jp")
    assert account.municipality_id == here.id
    assert account.status is AccountStatus.ISSUED
    assert account.login_id == "hanako@example.jp"
    assert account.id != here.guardian


@pytest.mark.parametrize("text", ["{{7*7}}", "${7*7}", "%s", "{0.__class__}", "<b>x</b>"])
def test_in_02_what_is_typed_is_shown_as_typed(form, text):
    page = check(form, given_name=text)
    assert page.status == 200
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in page.text
    assert "<b>x" not in page.text


@pytest.mark.parametrize("count_text", ["-1", "1e9", "999999", "x", ""])
def test_in_10_a_number_of_rows_that_is_none_does_no_harm(form, count_text):
    page = check(form, children=count_text)
    assert page.status in {200, 422}


def test_um_01_a_line_break_in_an_address_is_refused(form):
    page = check(form, email="a@example.jp\r\nBcc: b@example.jp")
    assert page.status == 422


def test_tn_02_who_may_only_look_cannot_register(sign_in_as, here, clerk):
    reader = sign_in_as(here, Role.READ_ONLY)
    assert "/staff/register" not in reader.get("/staff/").links
    assert reader.get("/staff/register").status == 403
