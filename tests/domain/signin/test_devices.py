"""Known browsers belong to one person each, whatever cookie they carry."""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.signin import devices
from tests import factories


@pytest.fixture
def father(sessions, clock, town):
    with transaction(sessions) as db:
        return factories.make_account(db, now=clock(), municipality_id=town.id)


@pytest.fixture
def remember(sessions, clock):
    def run(account, token=None):
        with transaction(sessions) as db:
            return devices.remember_device(db, token, account.id, "Safari (iPhone)", now=clock())

    return run


def test_b36_one_cookie_serves_two_people_and_tells_neither_of_the_other(
    sessions, clock, mother, father, remember
):
    hers = remember(mother)
    with transaction(sessions) as db:
        assert devices.find_device(db, hers.token, father.id, now=clock()) is None
    his = remember(father, hers.token)
    assert (his.is_new, his.token) == (True, hers.token)
    assert his.id != hers.id
    assert not remember(mother, hers.token).is_new


def test_b17_a_trusted_device_is_trusted_to_the_last_moment_of_its_days(
    sessions, clock, mother, remember
):
    device = remember(mother)
    with transaction(sessions) as db:
        devices.trust_device(db, device.id, days=7, now=clock())
        end = clock() + timedelta(days=7)
        before = end - timedelta(microseconds=1)
        assert devices.find_device(db, device.token, mother.id, now=before).is_trusted
        assert not devices.find_device(db, device.token, mother.id, now=end).is_trusted


def test_b17_no_device_is_trusted_longer_than_thirty_days(sessions, clock, mother, remember):
    device = remember(mother)
    with transaction(sessions) as db:
        devices.trust_device(db, device.id, days=400, now=clock())
        end = clock() + timedelta(days=30)
        assert not devices.find_device(db, device.token, mother.id, now=end).is_trusted


def test_se_04_no_device_is_trusted_any_more(sessions, clock, mother, remember):
    device = remember(mother)
    with transaction(sessions) as db:
        devices.trust_device(db, device.id, days=7, now=clock())
        devices.distrust_devices(db, mother.id)
        assert not devices.find_device(db, device.token, mother.id, now=clock()).is_trusted
        assert devices.list_devices(db, mother.id, now=clock())[0].trusted_until is None


def test_se_07_a_person_forgets_her_own_browsers_only(sessions, clock, mother, father, remember):
    device = remember(mother)
    with transaction(sessions) as db:
        devices.forget_device(db, father.id, device.id)
        assert devices.find_device(db, device.token, mother.id, now=clock()) is not None
        devices.forget_device(db, mother.id, device.id)
        assert devices.find_device(db, device.token, mother.id, now=clock()) is None


def test_twenty_sign_ins_at_once_make_one_device(mother, remember, race):
    token = remember(mother).token
    found = race(20, lambda _number: remember(mother, token))
    assert len({each.id for each in found}) == 1
