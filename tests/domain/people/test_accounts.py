"""Accounts: who may get anything now, states, addresses."""

import pytest
from sqlalchemy.exc import IntegrityError

from idp.domain.people import accounts
from idp.domain.people.accounts import NewAccount, create_account, find_usable
from idp.domain.people.names import PersonName
from idp.domain.people.profiles import find_profile
from idp.model.people import Account, AccountStatus, Door
from tests.factories import make_account

REFUSED = [status for status in AccountStatus if status is not AccountStatus.ACTIVE]


def new(town, **changes):
    values = {
        "door": Door.FAMILY,
        "municipality_id": town.id,
        "name": PersonName("佐倉", "美咲"),
        "email": "misaki@example.jp",
    }
    return NewAccount(**(values | changes))


@pytest.mark.parametrize("status", REFUSED)
def test_px_03_an_account_that_does_not_stand_gets_nothing(db, town, now, status):
    person = make_account(db, now=now, municipality_id=town.id, status=status)
    assert find_usable(db, person.id, now=now) is None


def test_px_03_an_active_account_is_usable(db, mother, now):
    usable = find_usable(db, mother.id, now=now)
    assert (usable.id, usable.name) == (mother.id, "佐倉 美咲")


def test_a07_the_first_password_activates_and_verifies_the_address(db, town, now):
    account_id = create_account(db, new(town), now=now)
    assert not accounts.activate(db, account_id, now=now)
    assert accounts.issue(db, account_id, now=now)
    assert accounts.activate(db, account_id, now=now)
    profile = find_profile(db, account_id)
    assert profile.email_verified_at == now
    assert find_usable(db, account_id, now=now) is not None


def test_a07_an_account_is_activated_once(db, town, now):
    account_id = create_account(db, new(town), now=now)
    accounts.issue(db, account_id, now=now)
    assert [accounts.activate(db, account_id, now=now) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    "spelling", ["Misaki@example.jp", "ｍｉｓａｋｉ@example.jp", "misaki@EXAMPLE.jp"]
)
def test_um_03_um_04_spellings_of_one_address_are_one_sign_in_id(db, town, now, spelling):
    first = create_account(db, new(town), now=now)
    second = create_account(db, new(town, email=spelling), now=now)
    login_ids = [db.get_one(Account, each).login_id for each in (first, second)]
    assert login_ids[0] == "misaki@example.jp"
    assert login_ids[1].isdigit()
    keys = {db.get_one(Account, each).email_key for each in (first, second)}
    assert keys == {"misaki@example.jp"}


def test_um_04_the_database_itself_keeps_sign_in_ids_apart(db, town, now):
    create_account(db, new(town), now=now)
    with pytest.raises(IntegrityError):
        make_account(db, now=now, municipality_id=town.id, login_id="misaki@example.jp")


def test_um_05_an_idn_domain_and_its_punycode_are_one_address(db, town, now):
    first = create_account(db, new(town, email="a@例え.jp"), now=now)
    second = create_account(db, new(town, email="a@xn--r8jz45g.jp"), now=now)
    keys = {db.get_one(Account, each).email_key for each in (first, second)}
    assert keys == {"a@xn--r8jz45g.jp"}


def test_um_05_a_look_alike_domain_is_another_address(db, town, now):
    first = create_account(db, new(town, email="a@example.jp"), now=now)
    second = create_account(db, new(town, email="a@ex\u0430mple.jp"), now=now)
    assert db.get_one(Account, first).email_key != db.get_one(Account, second).email_key


def test_a43_an_address_that_changes_is_unverified_and_voids_old_access(db, mother, clock):
    later = clock()
    assert accounts.change_address(db, mother.id, "new@example.jp", now=later)
    db.refresh(mother)
    assert (mother.email, mother.login_id) == ("new@example.jp", "new@example.jp")
    assert mother.email_verified_at is None
    assert mother.access_valid_from == later


def test_a43_the_same_address_is_no_change(db, mother, now):
    assert not accounts.change_address(db, mother.id, mother.email, now=now)


def test_a39_a_person_without_an_address_signs_in_once_she_has_one(db, town, now):
    account_id = create_account(db, new(town, email=None), now=now)
    accounts.issue(db, account_id, now=now)
    assert accounts.change_address(db, account_id, "late@example.jp", now=now)
    assert db.get_one(Account, account_id).login_id == "late@example.jp"


def test_px_08_a_closed_account_frees_its_address_but_not_its_id(db, town, now):
    account_id = create_account(db, new(town), now=now)
    assert accounts.close(db, account_id, now=now)
    again = create_account(db, new(town), now=now)
    assert again != account_id
    assert db.get_one(Account, again).login_id == "misaki@example.jp"
    assert db.get_one(Account, account_id).status is AccountStatus.CLOSED


def test_px_03_a_suspension_ends_and_leaves_no_old_access(db, mother, clock):
    now = clock()
    assert accounts.suspend(db, mother.id, now=now)
    assert not accounts.suspend(db, mother.id, now=now)
    assert find_usable(db, mother.id, now=now) is None
    assert accounts.resume(db, mother.id, now=now)
    usable = find_usable(db, mother.id, now=now)
    assert usable.access_valid_from == now


def test_px_03_a_suspended_account_that_never_started_is_issued_again(db, town, now):
    account_id = create_account(db, new(town), now=now)
    accounts.issue(db, account_id, now=now)
    accounts.suspend(db, account_id, now=now)
    accounts.resume(db, account_id, now=now)
    assert db.get_one(Account, account_id).status is AccountStatus.ISSUED
