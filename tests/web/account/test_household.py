"""The household page: everyone it names, what the representative and the proxy may do."""

from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.people.protection import set_protection
from idp.domain.upkeep.audit import Actor
from idp.model.households import ChildStatus, Membership, MembershipStatus
from idp.model.upkeep import AuditEvent
from tests import factories

PAGE = "/account/household"


@pytest.fixture
def removal(household, delegation):
    return f"{PAGE}/{household.id}/proxies/{delegation.id}/remove"


def test_a34_a37_members_and_roles_are_named_to_both(hers, his, delegation):
    for browser in (hers, his):
        text = browser.get(PAGE).text
        assert "佐倉 美咲 さん" in text
        assert "佐倉 健 さん" in text
        assert "あなた" in text


def test_a37_the_representative_removes_a_proxy_alone_and_at_once(
    hers, his, removal, sessions, delegation, father, mailbox
):
    assert removal in hers.get(PAGE).links
    page = hers.get(removal)
    assert "佐倉 健 さん" in page.text
    page = page.submit(removal)
    assert page.location == f"{PAGE}?done=removed"
    assert "佐倉 健" not in page.follow().text
    assert his.get("/").status == 303
    with transaction(sessions) as db:
        assert db.get(Membership, delegation.id).status is MembershipStatus.ENDED
        names = db.scalars(select(AuditEvent.name).where(AuditEvent.subject_id == father.id)).all()
    assert "proxy.removed" in names
    assert mailbox("access_changed") == [("access_changed", {})]


def test_a37_removing_twice_finds_nobody(hers, removal):
    form = hers.get(removal).form(removal)
    hers.post(removal, form.fields)
    assert hers.post(removal, form.fields).status == 404
    assert hers.get(removal).status == 404


def test_a37_a38_a_proxy_removes_nobody(his, removal, household, delegation, sessions):
    assert removal not in his.get(PAGE).links
    assert his.get(removal).status == 404
    token = his.get(f"{PAGE}/{household.id}/leave").form(PAGE).fields
    assert his.post(removal, token).status == 404
    with transaction(sessions) as db:
        assert db.get(Membership, delegation.id).status is MembershipStatus.ACTIVE


def test_a37_another_household_is_not_hers_to_manage(hers, delegation):
    assert hers.get(f"{PAGE}/{uuid4()}/proxies/{delegation.id}/remove").status == 404


def test_a37_a_proxy_may_leave(his, household, delegation, sessions):
    leave = f"{PAGE}/{household.id}/leave"
    assert leave in his.get(PAGE).links
    assert his.get(leave).submit(leave).location == f"{PAGE}?done=left"
    with transaction(sessions) as db:
        assert db.get(Membership, delegation.id).status is MembershipStatus.ENDED


def test_a37_a38_the_representative_cannot_leave_her_household(hers, household):
    assert hers.get(f"{PAGE}/{household.id}/leave").status == 404


def test_a37_nothing_betrays_a_protection_flag(hers, his, sessions, clock, mother, town):
    with transaction(sessions) as db:
        clerk = factories.make_staff(db, now=clock(), municipality_id=town.id)
    before = [_shown(browser) for browser in (hers, his)]
    with transaction(sessions) as db:
        set_protection(
            db,
            mother.id,
            "理由",
            actor=Actor(kind="account", account_id=clerk.id),
            now=clock(),
        )
    assert [_shown(browser) for browser in (hers, his)] == before


def _shown(browser):
    page = browser.get(PAGE)
    return page.text.split("<main")[1].split("</main>")[0]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ChildStatus.MOVED_OUT, "転出により対象外"),
        (ChildStatus.WITHDRAWN, "取りさげにより対象外"),
    ],
)
def test_a42_a_child_that_is_no_longer_eligible_ends_no_account(
    hers, sessions, clock, household, status, words
):
    with transaction(sessions) as db:
        factories.make_child(
            db, household_id=household.id, now=clock(), name="佐倉 いつき", status=status
        )
    page = hers.get(PAGE)
    assert page.status == 200
    assert words in page.text
    assert "ログインと記録の確認は続けられます。" in page.text


def test_a42_a_child_too_old_is_shown_as_such(hers, sessions, clock, household):
    with transaction(sessions) as db:
        factories.make_child(
            db, household_id=household.id, now=clock(), birthdate=date(2020, 4, 1), name="佐倉 陸"
        )
    assert "年齢により対象外" in hers.get(PAGE).text


def test_a43_who_has_no_household_is_told_where_to_ask(browser, mother, enter_session):
    enter_session(browser, mother)
    text = browser.get(PAGE).text
    assert "登録された世帯は、ありません。" in text
    assert "0000-12-3456" in text
