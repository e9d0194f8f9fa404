"""Secrets that have ended never come back, whatever file still holds them (CA-09)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select, text

from idp.base.secret import digest
from idp.domain.grants.cleanup import delete_ended_grants
from idp.domain.grants.client_registry import import_client
from idp.domain.grants.client_secrets import end_old_secrets, rotate_secret
from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.grants.clients import find_any_client, valid_secrets
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.clients import Client, ClientSecret
from idp.model.upkeep import AuditEvent
from idp.protocol.addresses import AddressRules
from idp.protocol.registration import parse_registration

SECRET = "a-secret-that-somebody-else-made-1234"
WEEK = timedelta(days=7)
DOCUMENT = {
    "client_id": "care-booking",
    "client_name": "一時あずかり予約",
    "client_secret": SECRET,
    "redirect_uris": ["https://booking.example/callback"],
}
METHODS = ("client_secret_basic", "client_secret_jwt")


def take(world, **changes):
    registration = parse_registration(DOCUMENT | changes, rules=AddressRules())
    named = {"actor": COMMAND_LINE, "keys": world.keys, "now": world.now}
    return world.do(import_client, registration, **named)


def rotate(world):
    world.clock.advance(timedelta(minutes=1))
    named = {"actor": COMMAND_LINE, "keys": world.keys, "now": world.now}
    return world.do(rotate_secret, "care-booking", **named).secret


def stored(world):
    """Return everything a refused import could have changed."""
    secrets = select(ClientSecret).where(ClientSecret.client_id == "care-booking")
    rows = world.all(secrets.order_by(ClientSecret.created_at))
    client = world.one(select(Client).where(Client.id == "care-booking"))
    events = len(world.all(select(AuditEvent)))
    facts = [(row.digest, row.sealed, row.expires_at, row.revoked_at) for row in rows]
    return facts, client.version, client.details, events


def working(world):
    client = world.do(find_any_client, "care-booking")
    return {each.digest for each in valid_secrets(client, now=world.now)}


@pytest.mark.parametrize("method", METHODS)
def test_ca_09_a_file_does_not_bring_back_a_secret_that_has_run_out(world, method):
    take(world, token_endpoint_auth_method=method)
    second = rotate(world)
    world.clock.advance(WEEK)
    for wait in (timedelta(0), 2 * WEEK, timedelta(days=3650)):
        world.clock.advance(wait)
        before = stored(world)
        changed = {"token_endpoint_auth_method": method, "client_name": "新しい名前"}
        assert take(world, **changed) is RegistrationRefusal.SECRET_RETIRED
        assert stored(world) == before
        assert working(world) == {digest(second)}
        world.do(delete_ended_grants, now=world.now)


@pytest.mark.parametrize("method", METHODS)
def test_ca_09_a_secret_in_its_overlap_keeps_its_end(world, method):
    take(world, token_endpoint_auth_method=method)
    second = rotate(world)
    world.clock.advance(WEEK - timedelta(seconds=1))
    taken = take(world, token_endpoint_auth_method=method, client_name="新しい名前")
    assert (taken.secret, taken.client.name_in("ja")) == (None, "新しい名前")
    assert working(world) == {digest(SECRET), digest(second)}
    world.clock.advance(timedelta(seconds=1))
    assert working(world) == {digest(second)}


def test_ca_09_beginning_to_sign_with_it_does_not_lengthen_an_overlap(world):
    take(world)
    rotate(world)
    world.clock.advance(WEEK - timedelta(seconds=1))
    assert take(world, token_endpoint_auth_method="client_secret_jwt").secret is None
    world.clock.advance(timedelta(seconds=1))
    assert digest(SECRET) not in working(world)


def test_ca_09_a_secret_that_was_ended_at_once_does_not_come_back(world):
    take(world)
    second = rotate(world)
    assert world.do(end_old_secrets, "care-booking", actor=COMMAND_LINE, now=world.now)
    assert take(world) is RegistrationRefusal.SECRET_RETIRED
    assert working(world) == {digest(second)}


def test_ca_08_a_secret_that_went_with_the_method_does_not_come_back_with_a_file(world):
    take(world)
    document = {"token_endpoint_auth_method": "none", "client_secret": None}
    registration = {name: value for name, value in (DOCUMENT | document).items() if value}
    public = parse_registration(registration, rules=AddressRules())
    named = {"actor": COMMAND_LINE, "keys": world.keys, "now": world.now}
    world.do(import_client, public, **named)
    assert take(world) is RegistrationRefusal.SECRET_RETIRED
    assert working(world) == set()


def test_another_secret_and_another_client_are_not_concerned(world):
    take(world)
    rotate(world)
    world.clock.advance(WEEK)
    fresh = "b" * 43
    assert take(world, client_secret=fresh).secret is None
    assert digest(fresh) in working(world)
    assert take(world, client_id="other").secret == SECRET


def test_ca_09_a_secret_that_ends_while_a_file_is_taken_does_not_come_back(postgresql_world):
    """The import comes second at the client's row, and must look only when it has it."""
    world = postgresql_world
    take(world)
    second = rotate(world)
    with ThreadPoolExecutor(1) as other, world.sessions() as first:
        assert end_old_secrets(first, "care-booking", actor=COMMAND_LINE, now=world.now)
        taken = other.submit(take, world)
        wait_for_a_waiting_one(world)
        first.commit()
        assert taken.result() is RegistrationRefusal.SECRET_RETIRED
    assert working(world) == {digest(second)}


def wait_for_a_waiting_one(world):
    """Return when a statement waits for a lock of another transaction."""
    pause = Event()
    with world.sessions() as db:
        for _ in range(1000):
            if db.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
            pause.wait(0.02)
    raise AssertionError("nobody waits")
