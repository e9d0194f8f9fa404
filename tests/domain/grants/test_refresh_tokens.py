"""Refresh tokens: rotated for public clients, narrowed on wish, dead with what they hang on."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.grants.authorization_codes import PresentedCode, redeem_code
from idp.domain.grants.client_registry import disable_client
from idp.domain.grants.consents import grant_consent, revoke_consent
from idp.domain.grants.refresh_tokens import (
    PresentedRefreshToken,
    Refreshed,
    RefreshRefusal,
    Rotation,
    issue_refresh_token,
    redeem_refresh_token,
)
from idp.domain.grants.standing import Void
from idp.domain.signin.sessions import end_session
from idp.domain.upkeep.audit import SYSTEM, Actor
from idp.model.grants import RefreshToken, TokenFamily
from idp.model.households import Membership, MembershipStatus
from idp.model.people import Account, AccountStatus
from idp.model.signin import SessionEnd
from idp.model.upkeep import AuditEvent, OutboxMessage
from tests.domain.grants.conftest import CALLBACK, VERIFIER

IDLE = timedelta(days=30)


def start(world, client_id="app", **changes):
    """Authorize, redeem, and return the first refresh token."""
    code = world.authorize(client_id, **changes)
    presented = PresentedCode(code, client_id, CALLBACK, VERIFIER)
    family = world.do(redeem_code, presented, now=world.now)
    return world.do(issue_refresh_token, family, idle_lifetime=IDLE, now=world.now)


def use(world, token, *, client_id="app", scope=None, rotation=Rotation.ALWAYS, **more):
    presented = PresentedRefreshToken(token, client_id, scope, rotation, IDLE, **more)
    actor = Actor(kind="client", client_id=client_id)
    return world.do(redeem_refresh_token, presented, keys=world.keys, actor=actor, now=world.now)


def test_a_public_client_gets_a_new_token_at_every_use(world):
    first = start(world)
    refreshed = use(world, first)
    assert isinstance(refreshed, Refreshed)
    assert refreshed.new_token not in (None, first)
    assert isinstance(use(world, refreshed.new_token), Refreshed)


def test_rt_01_a_second_use_ends_the_family_and_the_person_is_told(world):
    first = start(world)
    second = use(world, first).new_token
    assert use(world, first) is RefreshRefusal.REUSED
    assert use(world, second) is Void.REVOKED
    assert world.one(select(TokenFamily)).revoke_reason == "refresh_reused"
    event = world.one(select(AuditEvent).where(AuditEvent.name == "refresh.reused"))
    assert (event.subject_id, event.client_id) == (world.account_id, "app")
    mail = world.one(select(OutboxMessage))
    assert (mail.name, mail.account_id) == ("access_changed", world.account_id)


def test_rt_01_the_person_is_told_once(world):
    first = start(world)
    use(world, first)
    for _ in range(3):
        assert use(world, first) is RefreshRefusal.REUSED
    assert len(world.all(select(OutboxMessage))) == 1


@pytest.mark.parametrize("round_number", range(20))
def test_rt_02_of_twenty_parallel_uses_one_wins(sqlite_world, round_number):
    _race(sqlite_world)


@pytest.mark.parametrize("round_number", range(20))
def test_rt_02_the_same_on_postgresql(postgresql_world, round_number):
    _race(postgresql_world)


def _race(world):
    token = start(world)
    barrier = threading.Barrier(20)
    outcomes = []

    def run():
        presented = PresentedRefreshToken(token, "app", None, Rotation.ALWAYS, IDLE)
        barrier.wait()
        with transaction(world.sessions) as db:
            outcomes.append(
                redeem_refresh_token(db, presented, keys=world.keys, actor=SYSTEM, now=world.now)
            )

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [each for each in outcomes if isinstance(each, Refreshed)]
    assert len(winners) == 1
    assert outcomes.count(RefreshRefusal.REUSED) == 19
    assert world.one(select(TokenFamily)).revoked_at == world.now
    assert use(world, winners[0].new_token) is Void.REVOKED
    assert len(world.all(select(OutboxMessage))) == 1


def test_rt_03_another_client_cannot_use_it_and_its_owner_still_can(world):
    token = start(world)
    assert use(world, token, client_id="booking") is RefreshRefusal.UNKNOWN
    assert isinstance(use(world, token), Refreshed)


def test_rt_04_more_than_granted_is_refused_and_less_is_given(world):
    token = start(world, scope="openid profile")
    assert use(world, token, scope="openid email") is RefreshRefusal.SCOPE
    narrowed = use(world, token, scope="openid")
    assert narrowed.scope == "openid"
    assert use(world, narrowed.new_token).scope == "openid profile"


def test_rt_05_unused_it_ends_after_thirty_days(world):
    token = start(world, is_offline=True)
    world.clock.advance(timedelta(days=30))
    assert use(world, token) is RefreshRefusal.EXPIRED


def test_rt_05_used_daily_it_ends_after_ninety_days(world):
    token = start(world, is_offline=True)
    for _ in range(89):
        world.clock.advance(timedelta(days=1))
        token = use(world, token).new_token
    world.clock.advance(timedelta(days=1) - timedelta(seconds=1))
    token = use(world, token).new_token
    world.clock.advance(timedelta(seconds=1))
    assert use(world, token) is RefreshRefusal.EXPIRED


def test_a_confidential_client_keeps_its_token_and_its_life_grows_with_use(world):
    token = start(world, "booking", is_offline=True)
    for _ in range(3):
        world.clock.advance(timedelta(days=29))
        refreshed = use(world, token, client_id="booking", rotation=Rotation.NEVER)
        assert refreshed.new_token is None
    world.clock.advance(timedelta(days=3))
    assert use(world, token, client_id="booking", rotation=Rotation.NEVER) in (
        RefreshRefusal.EXPIRED,
        Void.EXPIRED,
    )


def test_rt_06_a_person_who_was_stopped_gets_nothing(world):
    token = start(world)
    stop = update(Account).values(status=AccountStatus.SUSPENDED)
    world.do(lambda db: db.execute(stop.where(Account.id == world.account_id)))
    assert use(world, token) is Void.ACCOUNT


def test_rt_06_a_changed_password_voids_what_came_before_it(world):
    token = start(world, is_offline=True)
    later = world.clock.advance(timedelta(minutes=1))
    change = update(Account).values(access_valid_from=later)
    world.do(lambda db: db.execute(change.where(Account.id == world.account_id)))
    assert use(world, token) is Void.ACCESS_RESET


def test_rt_06_signing_out_ends_what_hangs_on_the_session(world):
    token = start(world)
    end = (world.session_id, SessionEnd.EVERYWHERE)
    world.do(end_session, *end, keys=world.keys, now=world.now)
    assert use(world, token) is Void.REVOKED


def test_rt_06_a_session_that_ran_out_gives_nothing_either(world):
    token = start(world)
    world.clock.advance(timedelta(hours=12))
    assert use(world, token) is Void.SESSION


def test_an_offline_family_outlives_the_session(world):
    token = start(world, is_offline=True)
    world.do(end_session, world.session_id, SessionEnd.LOGOUT, keys=world.keys, now=world.now)
    assert isinstance(use(world, token), Refreshed)


def test_rt_07_a_consent_taken_back_ends_this_client_only(world):
    tokens = start(world, "app"), start(world, "booking")
    world.do(grant_consent, world.account_id, "app", "openid", actor=SYSTEM, now=world.now)
    world.do(revoke_consent, world.account_id, "app", actor=SYSTEM, now=world.now)
    assert use(world, tokens[0]) is Void.REVOKED
    other = use(world, tokens[1], client_id="booking", rotation=Rotation.NEVER)
    assert isinstance(other, Refreshed)


def test_a_disabled_client_loses_everything(world):
    token = start(world)
    world.do(disable_client, "app", actor=SYSTEM, now=world.now)
    assert use(world, token) is Void.REVOKED


def test_px_03_what_a_member_was_granted_ends_with_the_membership(world):
    token = start(world)
    end = update(Membership).values(status=MembershipStatus.ENDED)
    world.do(lambda db: db.execute(end.where(Membership.account_id == world.account_id)))
    assert use(world, token) is Void.HOUSEHOLD


def test_cd_10_only_digests_of_refresh_tokens_are_stored(world):
    token = start(world)
    row = world.one(select(RefreshToken))
    assert row.token_digest == digest(token)
    assert token not in repr(vars(row))


def test_a_token_for_another_service_is_refused_and_the_refresh_token_stays_usable(world):
    token = start(world)
    assert use(world, token, resources=("https://b.example",)) is RefreshRefusal.TARGET
    assert isinstance(use(world, token), Refreshed)


def test_rt_01_a_refresh_token_bound_to_a_key_is_refused_without_it_and_stays(world):
    code = world.authorize("app")
    family = world.do(
        redeem_code, PresentedCode(code, "app", CALLBACK, VERIFIER, "its-key"), now=world.now
    )
    token = world.do(issue_refresh_token, family, idle_lifetime=IDLE, key="its-key", now=world.now)
    assert use(world, token) is RefreshRefusal.KEY
    assert use(world, token, key="another") is RefreshRefusal.KEY
    assert isinstance(use(world, token, key="its-key"), Refreshed)
