"""The end of a session: tokens die, services are told by a signed call."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from idp.domain.grants.client_registry import disable_client
from idp.domain.grants.clients import find_client
from idp.domain.grants.keys import load_keys
from idp.domain.grants.logout import (
    build_logout_call,
    forget_session,
    note_client,
    session_at,
    subject_at,
)
from idp.domain.grants.own_tokens import open_own_token
from idp.domain.signin.sessions import end_session
from idp.domain.upkeep.audit import SYSTEM
from idp.domain.upkeep.outbox import BackchannelLogout
from idp.model.grants import ClientSession, TokenFamily
from idp.model.signin import SessionEnd
from idp.model.upkeep import OutboxKind, OutboxMessage
from idp.protocol.logout import EVENT

ISSUER = "https://id.example"


def call(world, client_id="booking"):
    ended = BackchannelLogout(client_id, world.session_id, world.account_id)
    return world.do(build_logout_call, ended, issuer=ISSUER, keys=world.keys, now=world.now)


def test_b19_signing_out_tells_every_service_that_wants_to_know(world):
    world.authorize("booking")
    world.authorize("app")
    world.do(end_session, world.session_id, SessionEnd.LOGOUT, keys=world.keys, now=world.now)
    queued = world.all(select(OutboxMessage))
    assert [(each.kind, each.client_id) for each in queued] == [
        (OutboxKind.BACKCHANNEL_LOGOUT, "booking")
    ]
    assert all(each.revoked_at == world.now for each in world.all(select(TokenFamily)))


def test_b19_ending_twice_tells_once(world):
    world.authorize("booking")
    for _ in range(2):
        world.do(end_session, world.session_id, SessionEnd.LOGOUT, keys=world.keys, now=world.now)
    assert len(world.all(select(OutboxMessage))) == 1


def test_a_session_nobody_knows_is_forgotten_in_silence(world):
    world.do(forget_session, uuid4(), keys=world.keys, now=world.now)
    assert world.all(select(OutboxMessage)) == []


def test_a_client_is_noted_once_a_session(world):
    for _ in range(3):
        world.do(note_client, world.session_id, "booking", now=world.now)
    assert len(world.all(select(ClientSession))) == 1


def test_lo_08_the_call_carries_a_logout_token_of_ours(world):
    sent = call(world)
    assert sent.uri == "https://rp.example/logout"
    keys = world.do(load_keys, keys=world.keys, now=world.now)
    opened = open_own_token(sent.logout_token, keys)
    client = world.do(find_client, "booking")
    assert opened.header["typ"] == "logout+jwt"
    assert opened.header["alg"] == "RS256"
    assert opened.claims["events"] == {EVENT: {}}
    assert "nonce" not in opened.claims
    assert opened.claims["sub"] == subject_at(client, world.account_id, keys=world.keys)
    assert opened.claims["sid"] == session_at(client, world.session_id, keys=world.keys)
    assert opened.claims["aud"] == "booking"
    assert opened.claims["exp"] - opened.claims["iat"] <= 120


def test_each_call_has_its_own_jti(world):
    keys = world.do(load_keys, keys=world.keys, now=world.now)
    jtis = {open_own_token(call(world).logout_token, keys).claims["jti"] for _ in range(3)}
    assert len(jtis) == 3


def test_a_client_that_wants_no_calls_or_is_gone_gets_none(world):
    assert call(world, "app") is None
    assert call(world, "nobody") is None
    world.do(disable_client, "booking", actor=SYSTEM, now=world.now)
    assert call(world) is None


@pytest.mark.parametrize("field", ["client_id", "sector"])
def test_identifiers_differ_by_sector_and_sessions_by_client(world, field):
    client = world.do(find_client, "booking")
    other = replace(client, **{field: "other"})
    same_person = subject_at(client, world.account_id, keys=world.keys) == subject_at(
        other, world.account_id, keys=world.keys
    )
    same_session = session_at(client, world.session_id, keys=world.keys) == session_at(
        other, world.session_id, keys=world.keys
    )
    assert same_person == (field == "client_id")
    assert same_session == (field == "sector")
