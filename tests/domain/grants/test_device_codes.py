"""Devices that wait: decided once, redeemed once, whatever runs at the same time."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idp.base.secret import digest
from idp.domain.grants import device_codes
from idp.domain.grants.device_codes import (
    DeviceRefusal,
    allow_device,
    deny_device,
    find_waiting_device,
    open_device,
    redeem_device,
)
from idp.domain.grants.standing import Family, Void
from idp.domain.grants.token_families import NewFamily
from idp.model.grants import DeviceAuthorization, TokenFamily
from idp.model.people import Account, AccountStatus
from idp.protocol import acr


@pytest.fixture
def opened(world):
    return world.do(open_device, "app", "openid profile", keys=world.keys, now=world.now)


def find(world, opened):
    return world.do(find_waiting_device, opened.user_code, keys=world.keys, now=world.now)


def allow(world, opened, device=None):
    device = device or find(world, opened)
    new = NewFamily(
        client_id="app",
        account_id=world.account_id,
        session_id=None,
        household_id=world.household_id,
        scope="openid profile",
        acr=acr.Acr.MAILED_CODE.value,
        amr=("pwd", "otp"),
        authenticated_at=world.now,
        is_offline=False,
    )
    return world.do(allow_device, device.id, new, now=world.now)


def poll(world, opened, client_id="app"):
    return world.do(redeem_device, opened.device_code, client_id, now=world.now)


def test_cd_10_only_digests_of_the_codes_are_kept(world, opened):
    row = world.one(select(DeviceAuthorization))
    assert row.device_code_digest == digest(opened.device_code)
    assert opened.user_code.encode() not in row.user_code_digest
    assert row.user_code_digest != digest(opened.user_code)


def test_what_was_allowed_is_had_once_and_a_second_use_ends_it(world, opened):
    assert poll(world, opened) is DeviceRefusal.PENDING
    assert allow(world, opened)
    family = poll(world, opened)
    assert isinstance(family, Family)
    assert (family.account_id, family.session_id) == (world.account_id, None)
    assert poll(world, opened) is DeviceRefusal.REUSED
    assert world.one(select(TokenFamily)).revoke_reason == "device_reused"


def test_of_twenty_polls_at_once_one_gets_tokens(world, opened):
    allow(world, opened)
    barrier, outcomes = threading.Barrier(20), []

    def run():
        barrier.wait()
        outcomes.append(poll(world, opened))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(each, Family) for each in outcomes) == 1
    # A second valid use was seen: nobody keeps anything.
    assert world.one(select(TokenFamily)).revoked_at is not None


def test_of_two_people_the_first_decides(world, opened):
    device = find(world, opened)
    assert world.do(deny_device, device.id, now=world.now)
    assert not allow(world, opened, device)
    assert poll(world, opened) is DeviceRefusal.DENIED
    assert world.one(select(TokenFamily)).revoke_reason == "device_decided_before"
    assert find(world, opened) is None


def test_another_client_gets_nothing_and_the_owner_everything(world, opened):
    allow(world, opened)
    assert poll(world, opened, "booking") is DeviceRefusal.UNKNOWN
    assert isinstance(poll(world, opened), Family)


@pytest.mark.parametrize("seconds", [599, 600, 601])
def test_a_code_lives_ten_minutes(world, opened, seconds):
    device = find(world, opened)
    world.clock.advance(timedelta(seconds=seconds))
    is_alive = seconds < 600
    assert (find(world, opened) is not None) is is_alive
    assert allow(world, opened, device) is is_alive
    outcome = poll(world, opened)
    assert isinstance(outcome, Family) if is_alive else outcome is DeviceRefusal.EXPIRED


def test_who_asks_too_soon_waits_five_seconds_more_each_time(world, opened):
    assert poll(world, opened) is DeviceRefusal.PENDING
    world.clock.advance(timedelta(seconds=4))
    assert poll(world, opened) is DeviceRefusal.TOO_FAST
    world.clock.advance(timedelta(seconds=9))
    assert poll(world, opened) is DeviceRefusal.TOO_FAST
    world.clock.advance(timedelta(seconds=15))
    assert poll(world, opened) is DeviceRefusal.PENDING
    world.clock.advance(timedelta(seconds=14))
    assert poll(world, opened) is DeviceRefusal.TOO_FAST


def test_who_asks_too_soon_after_the_answer_still_gets_it(world, opened):
    assert poll(world, opened) is DeviceRefusal.PENDING
    allow(world, opened)
    assert isinstance(poll(world, opened), Family)


@pytest.mark.parametrize("status", [AccountStatus.SUSPENDED, AccountStatus.CLOSED])
def test_cd_07_a_person_who_was_stopped_in_between_gives_nothing(world, opened, status):
    allow(world, opened)
    stop = update(Account).where(Account.id == world.account_id).values(status=status)
    world.do(lambda db: db.execute(stop))
    assert poll(world, opened) is Void.ACCOUNT


def test_two_live_devices_never_show_the_same_code(world, opened, monkeypatch):
    codes = iter([opened.user_code, opened.user_code, "BBBBBBBB"])
    monkeypatch.setattr(device_codes, "new_user_code", lambda: next(codes))
    other = world.do(open_device, "app", "openid", keys=world.keys, now=world.now)
    assert other.user_code == "BBBBBBBB"
    assert find(world, opened).id != find(world, other).id
