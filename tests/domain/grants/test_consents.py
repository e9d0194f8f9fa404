"""Consents: asked once, remembered, taken back."""

import pytest
from sqlalchemy import select

from idp.domain.grants.clients import find_client
from idp.domain.grants.consents import (
    consented_among,
    consented_scopes,
    grant_consent,
    list_consents,
    revoke_consent,
)
from idp.domain.upkeep.audit import Actor
from idp.model.grants import Consent
from idp.model.upkeep import AuditEvent
from idp.protocol.scope import split_scope


def grant(world, scope):
    actor = Actor(kind="account", account_id=world.account_id)
    world.do(grant_consent, world.account_id, "app", scope, actor=actor, now=world.now)


def is_open(world, scope, client_id="app"):
    def ask(db):
        client, wanted = find_client(db, client_id), split_scope(scope)
        return not wanted <= consented_among(db, world.account_id, client, wanted)

    return world.do(ask)


def test_a_client_is_asked_about_once(world):
    assert is_open(world, "openid profile")
    grant(world, "openid profile")
    assert not is_open(world, "openid profile")
    assert not is_open(world, "openid")
    assert is_open(world, "openid profile email")


def test_what_was_agreed_to_before_stays_agreed_to(world):
    grant(world, "openid profile")
    grant(world, "openid email")
    assert not is_open(world, "openid profile email")
    assert len([each for each in world.all(select(Consent)) if each.revoked_at is None]) == 1


def test_agreeing_to_the_same_again_writes_nothing(world):
    grant(world, "openid profile")
    grant(world, "openid")
    assert len(world.all(select(Consent))) == 1


def test_a_first_party_client_needs_no_question(world):
    assert not is_open(world, "openid profile household", client_id="booking")


def test_access_while_away_is_always_asked_for(world):
    assert is_open(world, "openid offline_access", client_id="booking")


def test_a_scope_the_client_lost_is_not_consented_to_any_more(world):
    grant(world, "openid profile address")
    client = world.do(find_client, "app")
    assert world.do(consented_scopes, world.account_id, client) == {"openid", "profile"}


def test_taking_it_back_asks_again(world):
    grant(world, "openid profile")
    actor = Actor(kind="account", account_id=world.account_id)
    assert world.do(revoke_consent, world.account_id, "app", actor=actor, now=world.now)
    assert is_open(world, "openid profile")
    assert not world.do(revoke_consent, world.account_id, "app", actor=actor, now=world.now)


def test_the_list_names_client_scopes_and_day(world):
    grant(world, "openid profile")
    (listed,) = world.do(list_consents, world.account_id)
    assert (listed.client.client_id, listed.scopes) == ("app", ("openid", "profile"))
    assert listed.granted_at == world.now


@pytest.mark.parametrize("name", ["consent.granted", "consent.revoked"])
def test_every_change_is_in_the_audit(world, name):
    grant(world, "openid")
    actor = Actor(kind="account", account_id=world.account_id)
    world.do(revoke_consent, world.account_id, "app", actor=actor, now=world.now)
    event = world.one(select(AuditEvent).where(AuditEvent.name == name))
    assert (event.actor_id, event.client_id) == (world.account_id, "app")
