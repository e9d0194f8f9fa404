"""Households: who may act for one, who is told, what only the family knows."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.base.text import DASHES
from idp.domain.people import accounts
from idp.domain.people.children import children_of, last_eligible_day, status_on
from idp.domain.people.facts import application_key, knows_the_family
from idp.domain.people.households import find_membership, memberships_of, recipients_of
from idp.domain.people.memberships import end_membership, members_of
from idp.domain.people.protection import set_protection
from idp.domain.upkeep.audit import Actor
from idp.model.households import ChildStatus, Household, HouseholdStatus, MembershipRole
from idp.model.people import AccountStatus
from tests.factories import make_account, make_child, make_household, make_member


def test_a35_a_proxy_may_do_everything_unless_categories_say_less(
    db, home, father, delegation, now
):
    [membership] = memberships_of(db, father.id, now=now)
    assert membership.role is MembershipRole.PROXY
    assert membership.categories == {}
    assert membership.household_id == home.id


def test_a35_whose_household_it_is_is_said_by_name(db, home, mother, father, delegation, now):
    [membership] = memberships_of(db, father.id, now=now)
    assert membership.representative_name == "佐倉 美咲"
    assert membership.representative_id == mother.id


def test_a35_the_own_household_comes_first(db, town, home, father, delegation, now):
    own = make_household(db, now=now, municipality_id=town.id, representative=father)
    roles = [each.household_id for each in memberships_of(db, father.id, now=now)]
    assert roles == [own.id, home.id]


@pytest.mark.parametrize(("days", "acts"), [(-1, False), (0, False), (1, True)])
def test_px_03_a_delegation_ends_with_its_period(db, home, town, now, days, acts):
    proxy = make_account(db, now=now, municipality_id=town.id)
    make_member(
        db,
        household_id=home.id,
        account=proxy,
        role=MembershipRole.PROXY,
        now=now - timedelta(days=9),
        valid_until=now + timedelta(days=days),
    )
    assert bool(memberships_of(db, proxy.id, now=now)) is acts


def test_px_03_a_delegation_that_was_ended_is_none(db, father, home, delegation, now):
    assert end_membership(db, delegation.id, now=now)
    assert memberships_of(db, father.id, now=now) == ()
    assert not end_membership(db, delegation.id, now=now)


def test_px_03_a_proxy_acts_only_while_the_guardians_account_stands(
    db, mother, father, home, delegation, now
):
    accounts.suspend(db, mother.id, now=now)
    assert memberships_of(db, father.id, now=now) == ()
    accounts.resume(db, mother.id, now=now)
    assert len(memberships_of(db, father.id, now=now)) == 1


def test_a39_a_proxy_may_act_for_a_guardian_without_an_address(db, town, father, now):
    grandmother = make_account(
        db,
        now=now,
        municipality_id=town.id,
        email=None,
        login_id=None,
        password=None,
        status=AccountStatus.ISSUED,
    )
    home = make_household(db, now=now, municipality_id=town.id, representative=grandmother)
    make_member(db, household_id=home.id, account=father, role=MembershipRole.PROXY, now=now)
    assert find_membership(db, father.id, home.id, now=now) is not None


@pytest.mark.parametrize("status", [HouseholdStatus.MOVED, HouseholdStatus.CLOSED])
def test_a46_a_household_that_moved_is_acted_for_no_more(db, mother, home, now, status):
    db.get_one(Household, home.id).status = status
    db.flush()
    assert memberships_of(db, mother.id, now=now) == ()


def test_a36_mails_go_to_both(db, home, mother, father, delegation, now):
    recipients = {each.account_id for each in recipients_of(db, home.id, now=now)}
    assert recipients == {mother.id, father.id}


def test_a36_who_has_not_started_or_wants_no_copies_gets_none(db, town, home, mother, now):
    waiting = make_account(
        db, now=now, municipality_id=town.id, status=AccountStatus.ISSUED, password=None
    )
    silent = make_account(db, now=now, municipality_id=town.id)
    role = MembershipRole.PROXY
    make_member(db, household_id=home.id, account=waiting, role=role, now=now)
    make_member(db, household_id=home.id, account=silent, role=role, now=now, receives_mail=False)
    assert [each.account_id for each in recipients_of(db, home.id, now=now)] == [mother.id]


@pytest.mark.parametrize("protected", ["mother", "father"])
def test_a36_d3_protection_stops_the_copies_to_the_other(
    db, home, mother, father, delegation, now, protected
):
    person = {"mother": mother, "father": father}[protected]
    set_protection(db, person.id, "支援措置", actor=Actor("account", person.id), now=now)
    assert [each.account_id for each in recipients_of(db, home.id, now=now)] == [person.id]


def test_a38_the_role_tells_representative_and_proxy_apart(
    db, home, mother, father, delegation, now
):
    roles = {each.account_id: each.role for each in members_of(db, home.id, now=now)}
    assert roles == {mother.id: MembershipRole.REPRESENTATIVE, father.id: MembershipRole.PROXY}


def test_a45_children_keep_their_ids_when_the_representative_changes(
    db, home, mother, father, delegation, now
):
    before = [child.id for child in children_of(db, home.id, now=now)]
    membership = find_membership(db, mother.id, home.id, now=now)
    end_membership(db, membership.membership_id, now=now)
    end_membership(db, delegation.id, now=now)
    make_member(db, household_id=home.id, account=father, now=now)
    assert [child.id for child in children_of(db, home.id, now=now)] == before
    assert find_membership(db, father.id, home.id, now=now).household_id == home.id


@pytest.mark.parametrize(
    ("birthdate", "last"),
    [
        (date(2024, 5, 12), date(2027, 5, 10)),
        (date(2024, 1, 1), date(2026, 12, 30)),
        (date(2024, 2, 29), date(2027, 2, 27)),
        (date(2024, 3, 1), date(2027, 2, 27)),
    ],
)
def test_a42_the_last_day_is_two_days_before_the_third_birthday(birthdate, last):
    assert last_eligible_day(birthdate) == last
    assert status_on(last, birthdate, ChildStatus.ACTIVE) is ChildStatus.ACTIVE
    after = last + timedelta(days=1)
    assert status_on(after, birthdate, ChildStatus.ACTIVE) is ChildStatus.AGED_OUT
    assert status_on(last, birthdate, ChildStatus.WITHDRAWN) is ChildStatus.WITHDRAWN


def test_a42_a_child_that_aged_out_closes_no_account(db, home, mother, now):
    make_child(db, household_id=home.id, birthdate=date(2020, 4, 2), now=now)
    statuses = [child.status for child in children_of(db, home.id, now=now)]
    assert statuses == [ChildStatus.AGED_OUT, ChildStatus.ACTIVE]
    assert accounts.find_usable(db, mother.id, now=now) is not None
    assert len(memberships_of(db, mother.id, now=now)) == 1


def test_b07_the_family_knows_its_number_or_a_childs_birthdate(db, home, mother, now):
    number = db.get_one(Household, home.id).application_number
    assert knows_the_family(db, mother.id, application_number=f" {number.lower()} ", now=now)
    assert knows_the_family(db, mother.id, birthdate=date(2025, 6, 1), now=now)
    assert not knows_the_family(db, mother.id, application_number="R8-9", now=now)
    assert not knows_the_family(db, mother.id, birthdate=date(2025, 6, 2), now=now)
    assert not knows_the_family(db, mother.id, application_number="", now=now)


def test_b07_another_familys_facts_do_not_help(db, town, home, mother, now):
    other = make_household(db, now=now, municipality_id=town.id, children=())
    number = db.get_one(Household, other.id).application_number
    assert not knows_the_family(db, mother.id, application_number=number, now=now)


@pytest.mark.parametrize(
    "text", ["2026ー00417", "202600417", "2026\u221200417", "２０２６－００４１７", "2026 ‐ 00417"]
)
def test_b07_dashes_and_spaces_do_not_tell_numbers_apart(text):
    assert application_key(text) == application_key("2026-00417") == "202600417"


@given(st.text(max_size=60))
def test_in_02_a_number_of_any_signs_has_one_key_without_dashes(text):
    assert not re.search(f"[{DASHES}\\s]", application_key(text))
