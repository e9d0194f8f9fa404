"""Codes: redeemed once, by their client, in time, with their proof."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.grants.authorization_codes import CodeRefusal, PresentedCode, redeem_code
from idp.domain.grants.standing import Family, Void
from idp.model.grants import AuthorizationCode, TokenFamily
from idp.model.people import Account, AccountStatus
from tests.domain.grants.conftest import CALLBACK, VERIFIER


def presented(code, **changes):
    whole = PresentedCode(
        code=code, client_id="booking", redirect_uri=CALLBACK, code_verifier=VERIFIER
    )
    return replace(whole, **changes)


def redeem(world, code, **changes):
    return world.do(redeem_code, presented(code, **changes), now=world.now)


def test_a_code_stands_for_what_was_granted(world):
    family = redeem(world, world.authorize(scope="openid email"))
    assert isinstance(family, Family)
    assert (family.account_id, family.scope) == (world.account_id, "openid email")
    assert family.amr == ("pwd", "otp")


def test_cd_01_a_second_use_is_refused_and_ends_the_family(world):
    code = world.authorize()
    family = redeem(world, code)
    assert redeem(world, code) is CodeRefusal.REUSED
    row = world.one(select(TokenFamily).where(TokenFamily.id == family.id))
    assert (row.revoked_at, row.revoke_reason) == (world.now, "code_reused")


@pytest.mark.parametrize("round_number", range(20))
def test_cd_02_of_twenty_parallel_redemptions_one_wins_and_its_tokens_die(
    sqlite_world, round_number
):
    _race(sqlite_world)


@pytest.mark.parametrize("round_number", range(20))
def test_cd_02_the_same_on_postgresql(postgresql_world, round_number):
    _race(postgresql_world)


def _race(world):
    code = world.authorize()
    barrier = threading.Barrier(20)
    outcomes = []

    def run():
        barrier.wait()
        with transaction(world.sessions) as db:
            outcomes.append(redeem_code(db, presented(code), now=world.now))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [each for each in outcomes if isinstance(each, Family)]
    assert len(winners) == 1
    assert outcomes.count(CodeRefusal.REUSED) == 19
    family = world.one(select(TokenFamily).where(TokenFamily.id == winners[0].id))
    assert family.revoke_reason == "code_reused"


def test_cd_02_two_that_have_both_read_the_unused_row_do_not_both_win(world):
    """The interleaving itself: the row is read, then somebody else is faster."""
    code = world.authorize()
    row = world.one(select(AuthorizationCode))
    world.do(
        lambda db: db.execute(
            update(AuthorizationCode)
            .where(AuthorizationCode.id == row.id, AuthorizationCode.redeemed_at.is_(None))
            .values(redeemed_at=world.now)
        )
    )
    assert redeem(world, code) is CodeRefusal.REUSED


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(59, Family), (60, CodeRefusal), (61, CodeRefusal)]
)
def test_cd_03_a_code_lives_sixty_seconds(world, seconds, outcome):
    code = world.authorize()
    world.clock.advance(timedelta(seconds=seconds))
    assert isinstance(redeem(world, code), outcome)


def test_cd_03_the_reason_is_its_age(world):
    code = world.authorize()
    world.clock.advance(timedelta(minutes=2))
    assert redeem(world, code) is CodeRefusal.EXPIRED


def test_cd_04_another_client_cannot_redeem_it_and_its_owner_still_can(world):
    code = world.authorize()
    assert redeem(world, code, client_id="app") is CodeRefusal.UNKNOWN
    assert isinstance(redeem(world, code), Family)


@pytest.mark.parametrize("uri", ["", CALLBACK + "/", "https://evil.example/callback"])
def test_cd_05_another_redirect_uri_is_refused_and_the_code_stays_usable(world, uri):
    code = world.authorize()
    assert redeem(world, code, redirect_uri=uri) is CodeRefusal.REDIRECT_URI
    assert isinstance(redeem(world, code), Family)


@pytest.mark.parametrize("verifier", ["", "x" * 50])
def test_pk_04_and_pk_07_a_missing_or_wrong_verifier_leaves_the_code_usable(world, verifier):
    code = world.authorize()
    for _ in range(5):
        assert redeem(world, code, code_verifier=verifier) is CodeRefusal.VERIFIER
    assert isinstance(redeem(world, code), Family)


def test_pk_05_a_code_without_a_challenge_takes_no_verifier(world):
    code = world.authorize(code_challenge=None)
    assert redeem(world, code) is CodeRefusal.VERIFIER
    assert isinstance(redeem(world, code, code_verifier=""), Family)


@pytest.mark.parametrize("status", [AccountStatus.SUSPENDED, AccountStatus.CLOSED])
def test_cd_07_a_person_who_was_stopped_in_between_gets_nothing(world, status):
    code = world.authorize()
    change = update(Account).where(Account.id == world.account_id).values(status=status)
    world.do(lambda db: db.execute(change))
    assert redeem(world, code) is Void.ACCOUNT


def test_cd_10_only_digests_of_codes_are_stored(world):
    code = world.authorize()
    row = world.one(select(AuthorizationCode))
    assert row.code_digest == digest(code)
    assert code not in repr(vars(row))


def test_an_unknown_code_is_refused(world):
    assert redeem(world, "nothing") is CodeRefusal.UNKNOWN


def test_a_service_that_was_not_granted_is_refused_and_the_code_stays_usable(world):
    code = world.authorize(facts={"resources": ["https://a.example"]})
    assert redeem(world, code, resources=("https://b.example",)) is CodeRefusal.TARGET
    assert isinstance(redeem(world, code, resources=("https://a.example",)), Family)


def test_cd_04_a_code_bound_to_a_key_needs_that_key(world):
    code = world.authorize(facts={"dpop_jkt": "its-key"})
    assert redeem(world, code) is CodeRefusal.KEY
    assert redeem(world, code, key="another") is CodeRefusal.KEY
    assert isinstance(redeem(world, code, key="its-key"), Family)
