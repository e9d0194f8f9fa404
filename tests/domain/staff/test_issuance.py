"""Issuing accounts: A01 to A08, A34, A37, A39, B03."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from idp.db.session import transaction
from idp.domain.access.proxies import ProxyCase
from idp.domain.people.accounts import find_usable
from idp.domain.people.children import children_of
from idp.domain.people.households import memberships_of
from idp.domain.people.memberships import members_of
from idp.domain.people.names import PersonName
from idp.domain.people.protection import set_protection
from idp.domain.staff.control import Outcome
from idp.domain.staff.desk import Desk
from idp.domain.staff.family import take_out_proxy
from idp.domain.staff.issuance import (
    AddedProxy,
    AlreadyRegistered,
    IssueOutcome,
    add_proxy,
    issue_account,
    issue_family,
    register_family,
)
from idp.domain.staff.registration import RegistrationFault
from idp.domain.staff.resending import (
    NobodyHere,
    NothingToSend,
    SentAgain,
    TooSoon,
    send_again,
    send_again_to_waiting,
)
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.households import Household, MembershipRole
from idp.model.people import Account, AccountStatus, CredentialState, IntakeRoute
from tests.domain.staff.helpers import acts, family, father, mails, mother
from tests.factories import make_account, make_household, make_municipality


@pytest.mark.parametrize("route", list(IntakeRoute))
def test_a01_an_account_remembers_how_the_application_came(db, desk, now, route):
    registered = register_family(db, desk, family(intake_route=route), now=now)
    assert db.get_one(Account, registered.guardian_id).intake_route is route


def test_a02_a_registration_is_written_down_with_who_and_when(db, desk, now):
    registered = register_family(db, desk, family(), now=now)
    assert acts(db, registered.guardian_id) == ["family.registered"]


def test_a04_a_registered_family_is_a_draft_until_it_is_issued(db, desk, post, keys, now):
    registered = register_family(db, desk, family(), now=now)
    guardian = db.get_one(Account, registered.guardian_id)
    assert guardian.status is AccountStatus.DRAFT
    assert mails(db, keys) == []
    assert issue_account(db, desk, guardian.id, post=post, now=now) is IssueOutcome.MAILED
    db.refresh(guardian)
    assert (guardian.status, guardian.issued_at) == (AccountStatus.ISSUED, now)


def test_a04_issuing_twice_sends_one_notice(db, desk, post, keys, now):
    registered = register_family(db, desk, family(), now=now)
    issue_account(db, desk, registered.guardian_id, post=post, now=now)
    again = issue_account(db, desk, registered.guardian_id, post=post, now=now)
    assert again is IssueOutcome.NOT_DRAFT
    assert [name for name, _, _ in mails(db, keys)] == ["account_issued"]


def test_a03_a05_the_notice_holds_the_page_and_no_secret(db, desk, post, keys, now):
    registered = register_family(db, desk, family(), now=now)
    issue_account(db, desk, registered.guardian_id, post=post, now=now)
    [(name, facts, to)] = mails(db, keys, registered.guardian_id)
    assert name == "account_issued"
    assert to is None
    assert facts == {"reset_page_url": post.reset_page_url, "login_id": None}


def test_a06_an_issued_account_has_no_password_and_gets_nothing(db, desk, post, now):
    registered = register_family(db, desk, family(), now=now)
    issue_account(db, desk, registered.guardian_id, post=post, now=now)
    guardian = db.get_one(Account, registered.guardian_id)
    assert guardian.credential_state is CredentialState.NONE
    assert find_usable(db, guardian.id, now=now) is None


def test_a03_a_notice_can_be_sent_again_after_half_a_minute(db, desk, post, keys, now):
    registered = register_family(db, desk, family(), now=now)
    issue_account(db, desk, registered.guardian_id, post=post, now=now)
    early = now + timedelta(seconds=29)
    outcome = send_again(db, desk, registered.guardian_id, post=post, now=early)
    assert outcome == TooSoon(now + timedelta(seconds=30))
    late = now + timedelta(seconds=30)
    assert send_again(db, desk, registered.guardian_id, post=post, now=late) == SentAgain()
    assert len(mails(db, keys)) == 2


def test_a03_five_notices_in_a_quarter_of_an_hour_are_enough(db, desk, post, now):
    registered = register_family(db, desk, family(), now=now)
    issue_account(db, desk, registered.guardian_id, post=post, now=now)
    outcomes = [
        send_again(db, desk, registered.guardian_id, post=post, now=now + timedelta(minutes=n))
        for n in range(1, 6)
    ]
    assert outcomes[:4] == [SentAgain()] * 4
    assert isinstance(outcomes[4], TooSoon)


def test_a03_nothing_is_sent_again_to_who_has_started(db, desk, post, town, now):
    started = make_account(db, now=now, municipality_id=town.id)
    assert send_again(db, desk, started.id, post=post, now=now) == NothingToSend()


def make_guardian(db, desk, now, **columns):
    home = {"now": now, "municipality_id": desk.municipality_id}
    person = make_account(db, **home, **columns)
    make_household(db, **home, representative=person)
    return person


def test_a37_a_proxy_who_was_taken_out_before_she_started_is_mailed_no_more(
    db, desk, post, keys, now
):
    done = register_family(db, desk, family(proxies=(father(now=now),)), now=now)
    issue_family(db, desk, done, post=post, now=now)
    [proxy_id] = done.proxy_ids
    [membership] = [
        each.membership_id
        for each in members_of(db, done.household_id, now=now)
        if each.account_id == proxy_id
    ]
    case = ProxyCase(household_id=done.household_id, membership_id=membership)
    assert take_out_proxy(db, desk, case, post=post, now=now) is Outcome.DONE
    later = now + timedelta(hours=1)
    before = mails(db, keys, proxy_id)
    assert send_again_to_waiting(db, desk, post=post, now=later) == 1
    assert mails(db, keys, proxy_id) == before


def test_a03_everyone_who_waits_is_reached_with_one_act(db, desk, far_desk, post, keys, now):
    waiting = {"status": AccountStatus.ISSUED, "password": None, "issued_at": now}
    no_mail = {"email": None, "login_id": None}
    for columns in (waiting, waiting, waiting | no_mail, {}):
        make_guardian(db, desk, now, **columns)
    make_guardian(db, far_desk, now, **waiting)
    assert send_again_to_waiting(db, desk, post=post, now=now) == 2
    assert len(mails(db, keys)) == 2


def test_a34_a_proxy_gets_an_own_account_and_both_sides_are_told(db, desk, post, keys, now):
    registered = register_family(db, desk, family(proxies=(father(now=now),)), now=now)
    issue_family(db, desk, registered, post=post, now=now)
    [proxy_id] = registered.proxy_ids
    assert proxy_id != registered.guardian_id
    names = [name for name, _, _ in mails(db, keys, proxy_id)]
    assert names == ["account_issued", "proxy_invited"]
    told = [(name, facts.get("proxy")) for name, facts, _ in mails(db, keys)]
    assert ("proxy_added", "佐倉 健") in told
    [membership] = [
        each
        for each in members_of(db, registered.household_id, now=now)
        if each.account_id == proxy_id
    ]
    assert (membership.role, membership.relationship) == (MembershipRole.PROXY, "father")


def test_a34_a_proxy_who_has_an_account_here_keeps_it(db, desk, post, keys, town, now):
    grandmother = make_account(
        db, now=now, municipality_id=town.id, family_name="佐倉", given_name="ハル"
    )
    known = replace(
        father(now=now).person, name=PersonName("佐倉", "ハル"), email=grandmother.email
    )
    proxy = father(now=now, person=known, relationship="grandparent")
    registered = register_family(db, desk, family(proxies=(proxy,)), now=now)
    issue_family(db, desk, registered, post=post, now=now)
    assert registered.proxy_ids == (grandmother.id,)
    assert [name for name, _, _ in mails(db, keys, grandmother.id)] == ["proxy_invited"]


def test_a37_staff_add_a_proxy_to_a_registered_household(db, desk, post, keys, town, now):
    guardian = make_account(db, now=now, municipality_id=town.id)
    home = make_household(db, now=now, municipality_id=town.id, representative=guardian)
    outcome = add_proxy(db, desk, home.id, father(now=now), post=post, now=now)
    assert isinstance(outcome, AddedProxy)
    assert db.get_one(Account, outcome.account_id).status is AccountStatus.ISSUED
    assert [name for name, _, _ in mails(db, keys, guardian.id)] == ["proxy_added"]
    again = add_proxy(db, desk, home.id, father(now=now), post=post, now=now)
    assert again is RegistrationFault.ALREADY_MEMBER


def test_tn_01_nobody_adds_a_proxy_to_another_towns_household(db, far_desk, post, town, now):
    guardian = make_account(db, now=now, municipality_id=town.id)
    home = make_household(db, now=now, municipality_id=town.id, representative=guardian)
    outcome = add_proxy(db, far_desk, home.id, father(now=now), post=post, now=now)
    assert outcome is RegistrationFault.HOUSEHOLD_UNKNOWN


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a34_a_proxys_period_ends_within_a_year(db, desk, now, days):
    proxy = father(now=now, valid_until=now + timedelta(days=days))
    outcome = register_family(db, desk, family(proxies=(proxy,)), now=now)
    assert outcome is RegistrationFault.PROXY_PERIOD


def test_a02_a_refused_registration_leaves_nothing(db, desk, now):
    proxy = father(now=now, valid_until=now)
    register_family(db, desk, family(proxies=(proxy,)), now=now)
    assert db.scalar(select(func.count()).select_from(Household)) == 0
    assert acts(db) == []


def test_a39_a_family_without_an_address_is_issued_without_sign_in(db, desk, post, keys, now):
    no_mail = family(guardian=mother(email=None))
    registered = register_family(db, desk, no_mail, now=now)
    outcome = issue_account(db, desk, registered.guardian_id, post=post, now=now)
    guardian = db.get_one(Account, registered.guardian_id)
    assert outcome is IssueOutcome.WITHOUT_MAIL
    assert (guardian.email, guardian.login_id) == (None, None)
    assert mails(db, keys) == []
    assert len(children_of(db, registered.household_id, now=now)) == 1


def test_a20_two_people_share_a_mailbox_and_the_second_gets_a_number(db, desk, post, keys, now):
    first = register_family(db, desk, family(), now=now)
    other = mother(name=PersonName("佐倉", "健"))
    second = register_family(
        db, desk, family(guardian=other, application_number="R8-00418"), now=now
    )
    numbers = [db.get_one(Account, each.guardian_id).login_id for each in (first, second)]
    assert numbers[0] == "misaki.sakura@example.jp"
    assert numbers[1].isdigit()
    issue_account(db, desk, second.guardian_id, post=post, now=now)
    [(_, facts, _)] = mails(db, keys, second.guardian_id)
    assert facts["login_id"] == numbers[1]


def test_a04_the_same_name_at_the_same_address_is_the_same_person(db, desk, now):
    first = register_family(db, desk, family(), now=now)
    again = register_family(db, desk, family(application_number="R8-00999"), now=now)
    assert again == AlreadyRegistered(first.guardian_id)


def test_a04_the_same_external_key_is_issued_once(db, desk, far_desk, now):
    keyed = family(guardian=mother(external_key="K-1"))
    first = register_family(db, desk, keyed, now=now)
    moved = family(guardian=mother(external_key="K-1", email="other@example.jp"))
    assert register_family(db, desk, moved, now=now) == AlreadyRegistered(first.guardian_id)
    elsewhere = register_family(db, far_desk, moved, now=now)
    assert elsewhere.guardian_id != first.guardian_id


def test_a04_of_two_registrations_with_one_key_at_once_one_wins(sessions, clock):
    now = clock()
    with transaction(sessions) as db:
        town_id = make_municipality(db, now=now).id
    barrier, found = Barrier(2), []

    def register(number):
        barrier.wait()
        with transaction(sessions) as db:
            desk = Desk(town_id, COMMAND_LINE)
            person = mother(external_key="K-1", email=f"k{number}@example.jp")
            application = family(guardian=person, application_number=f"R8-{number}")
            found.append(register_family(db, desk, application, now=now))

    threads = [Thread(target=register, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in found) == [
        "AlreadyRegistered",
        "RegisteredFamily",
    ]
    with transaction(sessions) as db:
        assert db.scalar(select(func.count()).select_from(Household)) == 1


def test_a38_a_household_has_one_representative(db, desk, now):
    first = register_family(db, desk, family(), now=now)
    other = family(
        guardian=mother(name=PersonName("山田", "花子"), email="hanako@example.jp"),
        household_id=first.household_id,
    )
    assert register_family(db, desk, other, now=now) is RegistrationFault.HAS_REPRESENTATIVE


def test_tn_03_a_family_cannot_be_put_into_another_towns_household(db, desk, far_desk, now):
    first = register_family(db, desk, family(), now=now)
    other = family(guardian=mother(email="x@example.jp"), household_id=first.household_id)
    outcome = register_family(db, far_desk, other, now=now)
    assert outcome is RegistrationFault.HOUSEHOLD_UNKNOWN


def test_tn_04_staff_issue_and_send_for_their_own_town_only(db, desk, far_desk, post, now):
    registered = register_family(db, desk, family(), now=now)
    guardian_id = registered.guardian_id
    assert issue_account(db, far_desk, guardian_id, post=post, now=now) is IssueOutcome.UNKNOWN
    assert send_again(db, far_desk, guardian_id, post=post, now=now) == NobodyHere()
    assert db.get_one(Account, guardian_id).status is AccountStatus.DRAFT
    assert acts(db, guardian_id) == ["family.registered", "staff.refused", "staff.refused"]


def test_tn_04_a_colleague_is_nobody_at_the_desk(db, desk, clerk, post, now):
    assert issue_account(db, desk, clerk.id, post=post, now=now) is IssueOutcome.UNKNOWN
    assert send_again(db, desk, clerk.id, post=post, now=now) == NobodyHere()


def test_d3_no_mail_names_one_to_the_other_where_one_is_protected(db, desk, post, keys, now):
    registered = register_family(db, desk, family(), now=now)
    issue_family(db, desk, registered, post=post, now=now)
    set_protection(db, registered.guardian_id, "支援措置", actor=desk.actor, now=now)
    add_proxy(db, desk, registered.household_id, father(now=now), post=post, now=now)
    assert [name for name, _, _ in mails(db, keys)] == ["account_issued", "account_issued"]


def test_b03_name_telephone_and_language_are_kept_as_typed(db, desk, now):
    person = mother(name=PersonName("髙﨑", "葛󠄀子"), locale="en")
    registered = register_family(db, desk, family(guardian=person), now=now)
    account = db.get_one(Account, registered.guardian_id)
    assert (account.family_name, account.given_name) == ("髙﨑", "葛󠄀子")
    assert (account.phone_number, account.locale) == ("+819000001234", "en")


def test_b06_a_guardian_has_several_children(db, desk, now):
    [child] = family().children
    twins = (child, replace(child, name="佐倉 はると"))
    registered = register_family(db, desk, family(children=twins), now=now)
    names = {each.name for each in children_of(db, registered.household_id, now=now)}
    assert names == {"佐倉 ひより", "佐倉 はると"}
    assert [each.role for each in memberships_of(db, registered.guardian_id, now=now)] == [
        MembershipRole.REPRESENTATIVE
    ]
