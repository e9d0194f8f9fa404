"""Everything that was granted has an end, and then it goes."""

from datetime import timedelta

from sqlalchemy import insert, select

from idp.base.secret import digest
from idp.domain.grants.cleanup import delete_ended_grants
from idp.domain.grants.consents import grant_consent, revoke_consent
from idp.domain.grants.device_codes import open_device
from idp.domain.grants.pushed_requests import push_request
from idp.domain.grants.token_families import revoke_family
from idp.domain.upkeep.audit import SYSTEM
from idp.model.grants import (
    AuthorizationCode,
    ClientSession,
    Consent,
    DeniedToken,
    DeviceAuthorization,
    PushedRequest,
    RefreshToken,
    ReplayMark,
    TokenFamily,
)
from tests.domain.grants.test_refresh_tokens import start

TABLES = (
    AuthorizationCode,
    ClientSession,
    Consent,
    DeniedToken,
    DeviceAuthorization,
    PushedRequest,
    RefreshToken,
    ReplayMark,
    TokenFamily,
)


def counts(world):
    return {table.__tablename__: len(world.all(select(table))) for table in TABLES}


def clean(world):
    return world.do(delete_ended_grants, now=world.now)


def fill(world):
    start(world)
    world.do(grant_consent, world.account_id, "app", "openid", actor=SYSTEM, now=world.now)
    world.do(revoke_consent, world.account_id, "app", actor=SYSTEM, now=world.now)
    soon = world.now + timedelta(minutes=10)
    world.do(lambda db: db.execute(insert(DeniedToken).values(jti="j", expires_at=soon)))
    world.do(push_request, "app", [("state", "x")], now=world.now)
    world.do(open_device, "app", "openid", keys=world.keys, now=world.now)
    mark = insert(ReplayMark).values(key_digest=digest("x"), expires_at=soon)
    world.do(lambda db: db.execute(mark))


def test_what_is_still_needed_stays(world):
    fill(world)
    assert clean(world) == 0
    assert set(counts(world).values()) == {1}


def test_each_kind_goes_in_its_time(world):
    fill(world)
    world.clock.advance(timedelta(minutes=10))
    assert clean(world) == 2
    world.clock.advance(timedelta(days=1, minutes=1))
    assert clean(world) == 3
    world.clock.advance(timedelta(days=29))
    assert clean(world) == 1
    assert counts(world)["refresh_token"] == 0
    world.clock.advance(timedelta(days=60))
    assert clean(world) == 1
    world.clock.advance(timedelta(days=3 * 365))
    assert clean(world) == 1
    assert set(counts(world).values()) == {0}


def test_a_living_family_stays_and_a_revoked_one_is_kept_a_month(world):
    start(world, is_offline=True)
    (family,) = world.all(select(TokenFamily))
    world.clock.advance(timedelta(days=80))
    clean(world)
    assert counts(world)["token_family"] == 1
    world.do(revoke_family, family.id, "test", now=world.now)
    world.clock.advance(timedelta(days=30) - timedelta(seconds=1))
    clean(world)
    assert counts(world)["token_family"] == 1
    world.clock.advance(timedelta(seconds=1))
    clean(world)
    assert counts(world)["token_family"] == 0
