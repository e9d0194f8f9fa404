"""Finding people within one town, and what a look costs: an audit row (TN-05, TN-07)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from idp.base.ids import new_id
from idp.domain.people.memberships import end_membership, members_of
from idp.domain.staff.delivery import export_waiting, view_waiting
from idp.domain.staff.desk import Desk
from idp.domain.staff.dossier import view_household, view_person
from idp.domain.staff.issuance import issue_family, register_family
from idp.domain.staff.logbook import view_log
from idp.domain.staff.search import PAGE_SIZE, SearchQuery, search_people
from idp.domain.staff.standing import MailStanding, Stage, Standing
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.households import MembershipRole
from idp.model.people import Account, AccountStatus
from idp.model.signin import PasswordReset
from idp.model.upkeep import AuditEvent, OutboxMessage, OutboxState
from tests.domain.staff.helpers import acts, family, father, mother
from tests.factories import make_account, make_household, make_member


@pytest.fixture
def registered(db, desk, post, now):
    done = register_family(db, desk, family(proxies=(father(now=now),)), now=now)
    issue_family(db, desk, done, post=post, now=now)
    return done


def names(db, desk, now, text="", **filters):
    page = search_people(db, desk, SearchQuery(text=text, **filters), now=now)
    return [person.name for person in page.people]


@pytest.mark.parametrize(
    "text",
    [
        "佐倉 美咲",
        "佐倉美咲",
        "さくら みさき",
        "ｻｸﾗ",
        "サクラ　ミサキ",
        "misaki.sakura@example.jp",
        "ＭＩＳＡＫＩ.sakura",
        "090-0000-1234",
        "０９０００００１２３４",
        "1234",
        "R8-00417",
        "ｒ８-００４１７",
        "R8ー00417",
        "R8\u221200417",
        "R800417",
        "ひより",
    ],
)
def test_tn_05_b25_a_person_is_found_by_what_a_caller_can_tell(db, desk, registered, now, text):
    assert "佐倉 美咲" in names(db, desk, now, text)


@pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1 --", "id:", "{{7*7}}", "\u200b"])
def test_tn_05_in_01_wildcards_and_tricks_find_nobody(db, desk, registered, now, text):
    assert names(db, desk, now, text) == []


@pytest.mark.parametrize("text", ["", "佐倉", "misaki", "R8-00417", "ひより", "090"])
def test_tn_05_another_town_finds_nothing_and_counts_nothing(db, far_desk, registered, now, text):
    page = search_people(db, far_desk, SearchQuery(text=text), now=now)
    assert (page.people, page.total, page.page_count) == ((), 0, 1)


def test_tn_05_staff_are_not_among_the_families(db, desk, clerk, now):
    assert names(db, desk, now, "福祉") == []


@pytest.mark.parametrize("page", [0, -1, 3, 1_000_000_000])
def test_in_10_a_page_that_is_not_there_is_none(db, desk, town, now, page):
    for _ in range(PAGE_SIZE + 1):
        make_account(db, now=now, municipality_id=town.id)
    assert search_people(db, desk, SearchQuery(page=page), now=now) is None


def test_in_10_pages_hold_everyone_once(db, desk, town, now):
    for _ in range(PAGE_SIZE + 5):
        make_account(db, now=now, municipality_id=town.id)
    pages = [search_people(db, desk, SearchQuery(page=page), now=now) for page in (1, 2)]
    found = [person.account_id for page in pages for person in page.people]
    assert (len(found), len(set(found))) == (PAGE_SIZE + 5, PAGE_SIZE + 5)
    assert {page.total for page in pages} == {PAGE_SIZE + 5}


def test_a39_filters_tell_who_cannot_sign_in(db, desk, post, registered, now):
    no_mail = family(guardian=mother(email=None), application_number="R8-2")
    other = register_family(db, desk, no_mail, now=now)
    issue_family(db, desk, other, post=post, now=now)
    page = search_people(db, desk, SearchQuery(standing=Standing.NO_LOGIN), now=now)
    assert [person.account_id for person in page.people] == [other.guardian_id]
    assert page.people[0].mail is MailStanding.NO_ADDRESS
    page = search_people(db, desk, SearchQuery(mail=MailStanding.NO_ADDRESS), now=now)
    assert page.total == 1


@pytest.mark.parametrize("standing", list(Standing))
@pytest.mark.parametrize("mail", list(MailStanding))
def test_tn_05_every_filter_answers(db, desk, registered, now, standing, mail):
    query = SearchQuery(standing=standing, mail=mail)
    assert search_people(db, desk, query, now=now) is not None


@pytest.mark.parametrize(
    ("state", "mail"),
    [
        (OutboxState.QUEUED, MailStanding.QUEUED),
        (OutboxState.SENT, MailStanding.SENT),
        (OutboxState.FAILED, MailStanding.FAILED),
    ],
)
def test_a03_the_state_of_the_notice_is_seen(db, desk, registered, now, state, mail):
    for row in db.scalars(select(OutboxMessage)):
        row.state = state
    db.flush()
    page = search_people(db, desk, SearchQuery(mail=mail), now=now)
    assert page.total == 2
    dossier = view_person(db, desk, registered.guardian_id, now=now)
    assert dossier.mail is mail


def test_a03_a_password_that_was_set_shows_that_the_mail_arrived(db, desk, registered, now):
    guardian = db.get_one(Account, registered.guardian_id)
    guardian.status = AccountStatus.ACTIVE
    guardian.activated_at = guardian.email_verified_at = now
    db.flush()
    dossier = view_person(db, desk, guardian.id, now=now)
    assert (dossier.mail, dossier.stage) == (MailStanding.OPENED, Stage.ARRIVED)


def reset(db, account_id, now, **columns):
    row = PasswordReset(
        id=new_id(now=now),
        browser_digest=b"b" * 32,
        account_id=account_id,
        created_at=now,
        expires_at=now + timedelta(days=7),
        **columns,
    )
    db.add(row)
    db.flush()


def stage(db, desk, account_id, now):
    return view_person(db, desk, account_id, now=now).stage


def test_a18_it_is_told_where_a_family_got_stuck(db, desk, post, now):
    done = register_family(db, desk, family(), now=now)
    person = db.get_one(Account, done.guardian_id)
    stages = [stage(db, desk, person.id, now)]
    issue_family(db, desk, done, post=post, now=now)
    stages.append(stage(db, desk, person.id, now))
    [notice] = db.scalars(select(OutboxMessage))
    for state in (OutboxState.FAILED, OutboxState.SENT):
        notice.state = state
        db.flush()
        stages.append(stage(db, desk, person.id, now))
    reset(db, person.id, now)
    stages.append(stage(db, desk, person.id, now))
    reset(db, person.id, now, opened_at=now)
    stages.append(stage(db, desk, person.id, now))
    person.activation_stopped_at = now
    db.flush()
    stages.append(stage(db, desk, person.id, now))
    assert stages == [
        Stage.DRAFT,
        Stage.WAITING,
        Stage.UNDELIVERED,
        Stage.NOT_BEGUN,
        Stage.LINK_NOT_USED,
        Stage.HALF_WAY,
        Stage.STOPPED,
    ]


def test_a03_the_work_list_holds_who_has_not_started(db, desk, far_desk, registered, town, now):
    make_account(db, now=now, municipality_id=town.id)
    waiting = view_waiting(db, desk, 1, now=now)
    assert {person.name for person in waiting.people} == {"佐倉 美咲", "佐倉 健"}
    assert (waiting.total, waiting.arrived, waiting.reachable) == (2, 1, 2)
    assert {person.notice_count for person in waiting.people} == {1}
    assert view_waiting(db, far_desk, 1, now=now).total == 0
    assert view_waiting(db, desk, 2, now=now) is None


def test_a37_whose_membership_is_over_waits_for_nothing(db, desk, registered, now):
    """The proxy's period ends after 300 days; the guardian is taken out by hand."""
    at = {"before": now + timedelta(days=300, seconds=-1), "after": now + timedelta(days=300)}
    numbers = {}
    for name, moment in at.items():
        page = view_waiting(db, desk, 1, now=moment)
        numbers[name] = (page.total, page.reachable, len(page.people))
        assert len(export_waiting(db, desk, now=moment)) == page.total
    assert numbers == {"before": (2, 2, 2), "after": (1, 1, 1)}
    for member in members_of(db, registered.household_id, now=now):
        end_membership(db, member.membership_id, now=now)
    page = view_waiting(db, desk, 1, now=now)
    assert (page.people, page.total, page.reachable) == ((), 0, 0)
    assert export_waiting(db, desk, now=now) == ()


def test_tn_01_another_towns_person_and_household_are_not_there(db, far_desk, registered, now):
    assert view_person(db, far_desk, registered.guardian_id, now=now) is None
    assert view_household(db, far_desk, registered.household_id, now=now) is None
    assert view_person(db, far_desk, new_id(now=now), now=now) is None


def test_tn_07_each_look_is_written_down_once_with_everything(db, desk, clerk, registered, now):
    view_person(db, desk, registered.guardian_id, now=now)
    view_household(db, desk, registered.household_id, now=now)
    search_people(db, desk, SearchQuery(text="佐倉"), now=now)
    view_waiting(db, desk, 1, now=now)
    db.flush()
    looks = {"person.viewed", "household.viewed", "people.searched", "mail_status.viewed"}
    rows = db.scalars(select(AuditEvent).where(AuditEvent.name.in_(looks))).all()
    assert sorted(row.name for row in rows) == sorted(looks)
    for row in rows:
        assert (row.actor_id, row.municipality_id, row.address) == (
            clerk.id,
            desk.municipality_id,
            "192.0.2.7",
        )
        assert row.at == now
        assert "佐倉" not in str(row.detail)


def test_tn_07_a_refused_look_is_written_down_too(db, far_desk, registered, now):
    view_person(db, far_desk, registered.guardian_id, now=now)
    assert "staff.refused" in acts(db, registered.guardian_id)


def test_tn_05_the_log_shows_one_town_and_its_names_only(
    db, desk, far_desk, clerk, registered, now
):
    log = view_log(db, desk, 1, now=now)
    assert log.total == len(acts(db)) - 1
    assert {act.actor_name for act in log.acts} == {"福祉 美咲"}
    theirs = view_log(db, far_desk, 1, now=now)
    assert theirs.total == 0
    record(
        db,
        Act(
            "staff.refused",
            subject_id=registered.guardian_id,
            municipality_id=far_desk.municipality_id,
        ),
        actor=Actor(kind="account", account_id=clerk.id),
        now=now,
    )
    theirs = view_log(db, far_desk, 1, now=now)
    shown = {(act.actor_name, act.subject_name, act.subject_id) for act in theirs.acts}
    assert (None, None, None) in shown
    assert "佐倉 美咲" not in {act.subject_name for act in theirs.acts}


@pytest.mark.parametrize("page", [0, -1, 2])
def test_in_10_a_page_of_the_log_that_is_not_there_is_none(db, desk, now, page):
    assert view_log(db, desk, page, now=now) is None


def test_a37_the_page_of_a_household_names_members_and_children(db, desk, registered, now):
    home = view_household(db, desk, registered.household_id, now=now)
    assert [member.role for member in home.members] == [
        MembershipRole.REPRESENTATIVE,
        MembershipRole.PROXY,
    ]
    assert [child.birthdate for child in home.children] == [date(2025, 6, 1)]
    assert [proxy.name for proxy in home.proxies()] == ["佐倉 健"]


def test_tn_01_a_proxy_from_another_town_is_named_but_not_opened(
    db, desk, far_desk, registered, town, now
):
    aunt = make_account(db, now=now, municipality_id=far_desk.municipality_id)
    make_member(
        db,
        household_id=registered.household_id,
        account=aunt,
        role=MembershipRole.PROXY,
        now=now,
    )
    home = view_household(db, desk, registered.household_id, now=now)
    assert aunt.id in {member.account_id for member in home.members}
    assert aunt.id not in home.own_people


def test_a46_a_person_shows_her_households_of_this_town_only(db, desk, far_desk, town, now):
    person = make_account(db, now=now, municipality_id=town.id)
    here = make_household(db, now=now, municipality_id=town.id, representative=person)
    there = make_household(db, now=now, municipality_id=far_desk.municipality_id)
    make_member(db, household_id=there.id, account=person, now=now)
    dossier = view_person(db, desk, person.id, now=now)
    assert [home.household_id for home in dossier.households] == [here.id]
    assert Desk(town.id, desk.actor) == desk
