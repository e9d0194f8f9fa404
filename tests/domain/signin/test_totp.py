"""Codes of authenticator apps: once each, within the clock's tolerance, counted."""

from datetime import timedelta

import pytest
from pyotp import TOTP

from idp.db.session import transaction
from idp.domain.signin import totp
from idp.domain.signin.totp import TotpPaused, TotpRight, TotpTaken, TotpWrong
from idp.model.people import TotpCredential
from tests import factories


@pytest.fixture
def officer(sessions, clock, town, keys):
    with transaction(sessions) as db:
        return factories.make_staff(db, now=clock(), municipality_id=town.id, keys=keys)


@pytest.fixture
def enter(sessions, clock, keys, officer):
    def run(typed):
        with transaction(sessions) as db:
            taken = totp.take_totp_try(db, officer.id, now=clock())
        if not isinstance(taken, TotpTaken):
            return taken
        with transaction(sessions) as db:
            return totp.judge_totp(db, taken, typed, keys=keys, now=clock())

    return run


def code_at(moment):
    return TOTP(factories.TOTP_SEED).at(moment)


def wrong_at(moment):
    near = {code_at(moment + timedelta(seconds=30 * step)) for step in (-2, -1, 0, 1, 2)}
    return next(code for code in ("000000", "111111", "222222") if code not in near)


def test_ot_06_a_code_of_the_app_is_accepted_once(enter, clock):
    assert enter(code_at(clock())) == TotpRight()
    assert isinstance(enter(code_at(clock())), TotpWrong)
    clock.advance(timedelta(seconds=30))
    assert enter(code_at(clock())) == TotpRight()


def test_ot_06_an_older_step_than_the_last_used_is_a_replay(enter, clock):
    before = code_at(clock() - timedelta(seconds=30))
    assert enter(code_at(clock())) == TotpRight()
    assert isinstance(enter(before), TotpWrong)


def test_ot_06_twenty_parallel_tries_with_one_code_let_one_in(enter, clock, race):
    outcomes = race(20, lambda _number: enter(code_at(clock())))
    assert outcomes.count(TotpRight()) == 1


def test_ot_08_full_width_digits_and_spaces_are_the_same_code(enter, clock):
    code = code_at(clock()).translate({ord("0") + i: 0xFF10 + i for i in range(10)})
    assert enter(f"{code[:3]} {code[3:]}") == TotpRight()


@pytest.mark.parametrize(
    ("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_ot_09_a_clock_may_be_half_a_minute_wrong_and_no_more(enter, clock, steps, accepted):
    outcome = enter(code_at(clock() + timedelta(seconds=30 * steps)))
    assert isinstance(outcome, TotpRight) is accepted


@pytest.mark.parametrize("typed", ["", "12345", "0" * 10_000, "true", "{}", "-1"])
def test_ot_10_what_is_no_code_is_wrong(enter, typed):
    assert isinstance(enter(typed), TotpWrong)


def test_ot_03_ten_wrong_codes_pause_the_app_too(enter, clock):
    for _ in range(9):
        assert isinstance(enter(wrong_at(clock())), TotpWrong)
    until = clock() + timedelta(minutes=10)
    assert enter(wrong_at(clock())) == TotpPaused(until)
    assert enter(code_at(clock())) == TotpPaused(until)
    clock.set(until)
    assert enter(code_at(clock())) == TotpRight()


def test_an_app_counts_only_once_it_is_confirmed(sessions, clock, keys, mother):
    with transaction(sessions) as db:
        seed = totp.enrol_totp(db, mother.id, keys=keys, now=clock())
        assert not totp.has_totp(db, mother.id)
        assert not totp.confirm_totp(db, mother.id, "000000x", keys=keys, now=clock())
        code = TOTP(seed).at(clock())
        assert totp.confirm_totp(db, mother.id, code, keys=keys, now=clock())
        assert totp.has_totp(db, mother.id)


def test_the_seed_is_sealed_for_its_owner(sessions, clock, keys, mother):
    with transaction(sessions) as db:
        seed = totp.enrol_totp(db, mother.id, keys=keys, now=clock())
    with transaction(sessions) as db:
        row = db.get(TotpCredential, mother.id)
        assert seed.encode() not in row.sealed_seed
