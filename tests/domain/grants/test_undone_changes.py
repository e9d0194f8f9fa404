"""A change of a client that was undone is never taken for one that another process makes later."""

from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from idp.base.secret import digest
from idp.db.engine import configure_engine, engine_options
from idp.db.session import transaction
from idp.domain.grants.client_addresses import NOTHING
from idp.domain.grants.client_console import (
    Checked,
    RefusedClientError,
    replace_all,
    save_changes,
)
from idp.domain.grants.client_export import export_client
from idp.domain.grants.client_registry import disable_client, enable_client
from idp.domain.grants.client_secrets import end_old_secrets, rotate_secret
from idp.domain.grants.clients import find_any_client, find_client, valid_secrets
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.clients import Client
from idp.protocol.addresses import AddressRules
from idp.protocol.registration import parse_registration
from tests.domain.grants.test_clients import register

CLIENT_ID = "care-booking"
INSIDER = "the-secret-of-a-file-that-was-refused-0123"


class AwayError(Exception):
    """The database went away at COMMIT."""


@pytest.fixture
def made(world):
    return register(world, client_id=CLIENT_ID)


@pytest.fixture
def elsewhere(database_url):
    """Another process: caches of its own on the same database."""
    engine = create_engine(database_url, **engine_options(database_url, pool_size=1))
    configure_engine(engine)
    yield sessionmaker(engine)
    engine.dispose()


def checked(document):
    return Checked(parse_registration(document, rules=AddressRules()), NOTHING)


def undo_a_save(world):
    """Save a form whose COMMIT fails."""
    document = world.do(lambda db: export_client(db, find_any_client(db, CLIENT_ID)))
    version = world.one(select(Client.version).where(Client.id == CLIENT_ID))

    def save(db):
        values = {"actor": COMMAND_LINE, "keys": world.keys, "now": world.now}
        save_changes(db, checked(document), version, **values)
        raise AwayError

    with pytest.raises(AwayError):
        world.do(save)


def test_ca_01_a_client_disabled_elsewhere_after_an_undone_save_is_disabled(world, made, elsewhere):
    undo_a_save(world)
    with transaction(elsewhere) as db:
        assert disable_client(db, CLIENT_ID, actor=COMMAND_LINE, now=world.now)
    assert world.do(find_client, CLIENT_ID) is None


def test_ca_09_a_secret_ended_elsewhere_after_an_undone_save_has_ended(world, made, elsewhere):
    world.clock.advance(timedelta(seconds=1))
    with transaction(elsewhere) as db:
        rotate_secret(db, CLIENT_ID, actor=COMMAND_LINE, keys=world.keys, now=world.now)
    undo_a_save(world)
    with transaction(elsewhere) as db:
        end_old_secrets(db, CLIENT_ID, actor=COMMAND_LINE, now=world.now)
    world.clock.advance(timedelta(hours=1))
    client = world.do(find_client, CLIENT_ID)
    valid = {each.digest for each in valid_secrets(client, now=world.now)}
    assert digest(made.secret) not in valid
    assert len(valid) == 1


def test_ca_09_the_secret_of_a_refused_file_never_works(world, made, elsewhere):
    document = world.do(lambda db: export_client(db, find_any_client(db, CLIENT_ID)))
    insider = checked(document | {"client_secret": INSIDER})
    # Named twice, so that the file reads what it has just written; refused at its third document.
    strange = document | {"client_id": "another", "kosodate_municipality": "999999"}
    file = [insider, insider, checked(strange)]
    with pytest.raises(RefusedClientError):
        world.do(replace_all, file, actor=COMMAND_LINE, keys=world.keys, now=world.now)
    with transaction(elsewhere) as db:
        disable_client(db, CLIENT_ID, actor=COMMAND_LINE, now=world.now)
    with transaction(elsewhere) as db:
        enable_client(db, CLIENT_ID, actor=COMMAND_LINE, now=world.now)
    client = world.do(find_client, CLIENT_ID)
    assert digest(INSIDER) not in {each.digest for each in client.secrets}


def test_no_two_states_of_a_client_have_one_version(world, made):
    seen = {made.client.version}
    for _ in range(20):
        world.do(disable_client, CLIENT_ID, actor=COMMAND_LINE, now=world.now)
        world.do(enable_client, CLIENT_ID, actor=COMMAND_LINE, now=world.now)
        seen.add(world.do(find_client, CLIENT_ID).version)
    assert len(seen) == 21
    assert all(0 < each < 10**9 for each in seen)  # what the console's form may bring back
