"""After a change of the master key everything sealed is readable without the key before."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import LargeBinary, select, update

from idp.base.ids import new_id
from idp.base.keyring import build_keyring
from idp.base.seal import Sealer, UnsealError
from idp.db.session import transaction
from idp.domain.backstage.resealing import (
    APPS,
    DEVICE_WALKS,
    KINDS,
    MESSAGES,
    PAGE,
    SIGNING_KEYS,
    read_page,
    write_page,
)
from idp.domain.grants.client_registry import register_client
from idp.domain.grants.client_signatures import secret_context
from idp.domain.grants.device_codes import open_device
from idp.domain.grants.keys import load_keys
from idp.domain.recovery.standing import seal_context
from idp.domain.signin.device_walk import Place, open_device_walk, shown_user_code
from idp.domain.signin.totp import enrol_totp, seed_context
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.domain.upkeep.outbox import Mail, body_context, enqueue_mail
from idp.domain.upstream.requests import begin_recovery, claim_request
from idp.model.clients import ClientSecret
from idp.model.people import TotpCredential
from idp.model.signin import Interaction, PasswordReset
from idp.model.tables import METADATA
from idp.model.upkeep import OutboxMessage
from idp.protocol.addresses import AddressRules
from idp.protocol.registration import parse_registration
from tests import factories
from tests.domain.grants.conftest import build_world

NEW_KEY = b"n" * 31 + b"w"
DOCUMENT = {
    "client_id": "signer",
    "client_name": "一時あずかり予約",
    "redirect_uris": ["https://booking.example/callback"],
    "token_endpoint_auth_method": "client_secret_jwt",
}
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def keyring(master_key, previous=None):
    return build_keyring(
        master_key=master_key,
        subject_key=factories.SUBJECT_KEY,
        pepper=factories.PEPPER,
        previous_master_key=previous,
    )


BOTH = keyring(NEW_KEY, factories.MASTER_KEY)
NEW = keyring(NEW_KEY)


@pytest.fixture
def world(sessions, clock):
    return build_world(sessions, clock)


def fill(world):
    """Have one of everything that is sealed; return what is needed to read it back."""
    named = {"keys": world.keys, "now": world.now}
    registration = parse_registration(DOCUMENT, rules=AddressRules())
    secret = world.do(register_client, registration, actor=COMMAND_LINE, **named).secret
    seed = world.do(enrol_totp, world.account_id, **named)
    mail(world)
    upstream = world.do(begin_recovery, **named)
    reset_id = new_id(now=world.now)
    sealed = world.keys.sealer.seal(b"misaki@example.jp", context=seal_context(reset_id))
    moment = {"created_at": world.now, "expires_at": world.now + timedelta(hours=1)}
    reset = PasswordReset(id=reset_id, browser_digest=b"b", sealed_email=sealed, **moment)
    world.do(lambda db: db.add(reset))
    device = world.do(open_device, "app", "openid", **named)
    walk = world.do(
        open_device_walk,
        device.user_code,
        Place("192.0.2.0/24", "browser", None),
        lifetime=timedelta(minutes=10),
        **named,
    )
    assert walk is not None
    return SimpleNamespace(secret=secret, seed=seed, upstream=upstream, reset_id=reset_id)


def mail(world):
    message = Mail("login_code", world.account_id, {"code": "123456"})
    world.do(enqueue_mail, message, keys=world.keys, now=world.now)


def reseal(world, keys=BOTH, *, write=write_page):
    """Go through every kind as the command does; return how many rows were under which key."""
    found = {}
    for kind in KINDS:
        old = current = unreadable = 0
        after, is_more = None, True
        while is_more:
            with transaction(world.sessions) as db:
                page = read_page(db, kind, after=after, sealer=keys.sealer)
                assert write(db, kind, page) == 0
            old += len(page.renewals)
            current += page.current_count
            unreadable += len(page.unreadable)
            after, is_more = page.end, page.end is not None
        found[kind] = (old, current, unreadable)
    return found


def nothing(_db, _kind, _page):
    return 0


def test_no_sealed_column_is_forgotten():
    listed = {(kind.sealed.class_.__tablename__, kind.sealed.key) for kind in KINDS}
    sealed = {
        (table.name, column.name)
        for table in METADATA.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.startswith("sealed")
    }
    assert listed == sealed | {("interaction", "request")}


def test_everything_opens_with_the_new_key_alone(world):
    known = fill(world)
    before = reseal(world, write=nothing)
    signing = before.pop(SIGNING_KEYS)
    assert signing[0] > 1
    assert signing[1:] == (0, 0)
    assert set(before.values()) == {(1, 0, 0)}
    with pytest.raises(UnsealError):
        world.do(load_keys, keys=NEW, now=world.now)
    reseal(world)
    assert reseal(world, NEW) == {
        kind: (0, signing[0] if kind is SIGNING_KEYS else 1, 0) for kind in KINDS
    }
    read_back(world, known)


def read_back(world, known):
    """Use each of them, with the new key alone, as the provider does."""
    open_new = NEW.sealer.unseal
    assert world.do(load_keys, keys=NEW, now=world.now).signer("RS256")
    row = world.one(select(ClientSecret).where(ClientSecret.client_id == "signer"))
    assert open_new(row.sealed, context=secret_context("signer")).decode() == known.secret
    app = world.one(select(TotpCredential))
    assert open_new(app.sealed_seed, context=seed_context(world.account_id)).decode() == known.seed
    message = world.one(select(OutboxMessage))
    body = json.loads(open_new(message.sealed_body, context=body_context(message.id)))
    assert body["facts"] == {"code": "123456"}
    reset = world.one(select(PasswordReset))
    address = open_new(reset.sealed_email, context=seal_context(known.reset_id))
    assert address == b"misaki@example.jp"
    begun = known.upstream
    state = begun.secrets.state
    named = {"keys": NEW, "now": world.now}
    assert world.do(claim_request, state, begun.browser_token, **named).secrets == begun.secrets
    walk = world.one(select(Interaction))
    assert len(shown_user_code(walk, keys=NEW)) == 8
    assert walk.request["prompt"] == ["consent"]


def test_doing_it_again_changes_nothing(world):
    fill(world)
    reseal(world)
    before = [bytes(row.sealed_body) for row in world.all(select(OutboxMessage))]
    assert {old for old, _, _ in reseal(world).values()} == {0}
    assert [bytes(row.sealed_body) for row in world.all(select(OutboxMessage))] == before


def test_an_interrupted_run_goes_on_where_it_was(world):
    for _ in range(PAGE + 1):
        mail(world)
    with transaction(world.sessions) as db:
        first = read_page(db, MESSAGES, after=None, sealer=BOTH.sealer)
        assert write_page(db, MESSAGES, first) == 0
    assert len(first.renewals) == PAGE
    assert reseal(world)[MESSAGES] == (1, PAGE, 0)
    assert reseal(world, NEW)[MESSAGES] == (0, PAGE + 1, 0)


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1])
def test_the_last_page_ends_where_the_rows_end(world, count):
    for _ in range(count):
        mail(world)
    assert reseal(world)[MESSAGES] == (count, 0, 0)


def test_what_the_provider_writes_meanwhile_is_not_lost(world):
    fill(world)
    with transaction(world.sessions) as db:
        pages = {
            kind: read_page(db, kind, after=None, sealer=BOTH.sealer)
            for kind in (APPS, DEVICE_WALKS)
        }
    seed = world.do(enrol_totp, world.account_id, keys=BOTH, now=world.now)
    world.do(lambda db: db.execute(update(Interaction).values(request={"device_id": "gone"})))
    with transaction(world.sessions) as db:
        assert [write_page(db, kind, page) for kind, page in pages.items()] == [1, 1]
    row = world.one(select(TotpCredential))
    context = seed_context(world.account_id)
    assert NEW.sealer.unseal(row.sealed_seed, context=context).decode() == seed
    assert world.one(select(Interaction)).request == {"device_id": "gone"}


def test_what_no_key_opens_is_told_and_left(world):
    fill(world)
    stranger = Sealer(b"s" * 32).seal(b"seed", context=seed_context(world.account_id))
    world.do(lambda db: db.execute(update(TotpCredential).values(sealed_seed=stranger)))
    with transaction(world.sessions) as db:
        page = read_page(db, APPS, after=None, sealer=BOTH.sealer)
        assert write_page(db, APPS, page) == 0
    assert page.unreadable == (str(world.account_id),)
    assert world.one(select(TotpCredential)).sealed_seed == stranger


@pytest.mark.parametrize("damaged", [b"", b"\x01", b"\x01" + b"x" * 12, b"\x02" + b"x" * 40])
def test_a_damaged_value_is_no_sealed_one(damaged):
    with pytest.raises(UnsealError):
        BOTH.sealer.renew(damaged, context="x")


def test_a_value_under_the_present_key_is_left_alone():
    sealed = BOTH.sealer.seal(b"value", context="x")
    assert BOTH.sealer.renew(sealed, context="x") is None
    with pytest.raises(UnsealError):
        BOTH.sealer.renew(sealed, context="y")
    renewed = BOTH.sealer.renew(
        keyring(factories.MASTER_KEY).sealer.seal(b"v", context="x"), context="x"
    )
    assert NEW.sealer.unseal(renewed, context="x") == b"v"
