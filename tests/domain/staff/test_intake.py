"""Taking in an application: look first, then write, then issue (A02, A04)."""

from dataclasses import replace

import pytest

from idp.domain.people.memberships import end_membership, members_of
from idp.domain.staff.family import HouseholdChoice, HouseholdFault
from idp.domain.staff.intake import Intake, IntakeWish, TakenIn, take_in
from idp.domain.staff.issuance import AlreadyRegistered, IssueOutcome
from idp.domain.staff.registration import RegistrationFault
from tests.domain.staff.helpers import acts, family, mails, mother
from tests.factories import make_household


def other_family():
    return family(guardian=mother(email="other@example.jp"))


@pytest.fixture
def take(db, desk, post, now):
    def run(application, household=HouseholdChoice.NEW, wish=IntakeWish.ISSUE):
        return take_in(db, desk, Intake(application, household, wish), post=post, now=now)

    return run


def test_a02_looking_writes_nothing(db, take):
    assert take(family(), wish=IntakeWish.CHECK) is None
    assert acts(db) == []


@pytest.mark.parametrize("text", ["", "x", "ISSUE"])
def test_a04_whoever_says_nothing_clear_only_looks(text):
    assert IntakeWish(text) is IntakeWish.CHECK


def test_a04_a_draft_is_issued_later_and_nobody_is_told_before(db, take, keys):
    outcome = take(family(), wish=IntakeWish.DRAFT)
    assert isinstance(outcome, TakenIn)
    assert outcome.issued is None
    assert mails(db, keys) == []


def test_a04_issuing_at_once_says_what_became_of_it(take):
    assert take(family()).issued is IssueOutcome.MAILED


def test_a04_a_person_who_is_known_is_named(take):
    first = take(family())
    assert take(family()) == AlreadyRegistered(first.guardian_id)


def test_a04_a_number_belongs_to_one_household(take):
    take(family())
    assert take(other_family()) is HouseholdFault.NUMBER_TAKEN


def test_a04_a_registered_household_is_found_by_its_number(db, take, now):
    first = take(family())
    for wish in IntakeWish:
        again = take(other_family(), HouseholdChoice.EXISTING, wish)
        assert again is RegistrationFault.HAS_REPRESENTATIVE
    [member] = members_of(db, first.household_id, now=now)
    end_membership(db, member.membership_id, now=now)
    assert take(other_family(), HouseholdChoice.EXISTING, IntakeWish.CHECK) is None
    joined = take(other_family(), HouseholdChoice.EXISTING)
    assert joined.household_id == first.household_id


@pytest.mark.parametrize("number", ["R8ー00417", "R800417", "ｒ８\u2212００４１７"])
def test_a04_a_number_is_the_same_with_other_dashes_or_none(db, take, now, number):
    first = take(family())
    other = replace(other_family(), application_number=number)
    assert take(other) is HouseholdFault.NUMBER_TAKEN
    [member] = members_of(db, first.household_id, now=now)
    end_membership(db, member.membership_id, now=now)
    assert take(other, HouseholdChoice.EXISTING).household_id == first.household_id


def test_a04_a_dash_at_another_place_is_another_number(take):
    first = take(replace(family(), application_number="8-11"))
    second = take(replace(other_family(), application_number="81-1"))
    assert first.household_id != second.household_id
    third = family(guardian=mother(email="third@example.jp"))
    unclear = replace(third, application_number="811")
    assert take(unclear) is HouseholdFault.NUMBER_TAKEN
    assert take(unclear, HouseholdChoice.EXISTING) is HouseholdFault.SEVERAL


def test_a04_of_two_households_that_share_a_key_the_one_spelled_so_is_meant(db, desk, take, now):
    old = {"now": now, "municipality_id": desk.municipality_id}
    make_household(db, **old, application_number="R800417")
    meant = make_household(db, **old, application_number="Ｒ８－００４１７")
    assert take(family(), HouseholdChoice.EXISTING).household_id == meant.id


def test_a04_a_number_nobody_has_is_said(take):
    outcome = take(family(), HouseholdChoice.EXISTING)
    assert outcome is HouseholdFault.NO_SUCH_NUMBER


def test_tn_03_a_number_of_another_town_is_a_number_nobody_has(db, far_desk, take, post, now):
    take(family())
    intake = Intake(other_family(), HouseholdChoice.EXISTING, IntakeWish.ISSUE)
    outcome = take_in(db, far_desk, intake, post=post, now=now)
    assert outcome is HouseholdFault.NO_SUCH_NUMBER
