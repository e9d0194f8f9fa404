"""The registry of clients: registered, changed, stopped, with secrets nobody can read back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.grants.client_console import list_arrivals
from idp.domain.grants.client_export import export_client
from idp.domain.grants.client_registry import (
    disable_client,
    enable_client,
    import_client,
    register_client,
    update_client,
)
from idp.domain.grants.client_secrets import end_old_secrets, rotate_secret
from idp.domain.grants.client_writing import RegistrationRefusal, claim_version
from idp.domain.grants.clients import (
    find_any_client,
    find_client,
    is_registered_origin,
    list_clients,
    list_services,
    subject_sector,
    valid_secrets,
)
from idp.domain.grants.key_rotation import REQUIRED
from idp.domain.upkeep.audit import COMMAND_LINE, SEED, Actor
from idp.model.clients import ClientOrigin, ClientSecret
from idp.model.households import Municipality
from idp.model.upkeep import AuditEvent
from idp.protocol.addresses import AddressRules
from idp.protocol.client import SubjectType
from idp.protocol.jwk import ID_TOKEN_ALGORITHMS
from idp.protocol.registration import parse_registration

DOCUMENT = {
    "client_name": "一時あずかり予約",
    "client_name#en": "Care booking",
    "redirect_uris": ["https://booking.example/callback"],
    "scope": "openid profile household",
    "grant_types": ["authorization_code", "refresh_token"],
}


def document(**changes):
    return parse_registration(DOCUMENT | changes, rules=AddressRules())


def register(world, **changes):
    return world.do(
        register_client, document(**changes), actor=COMMAND_LINE, keys=world.keys, now=world.now
    )


def test_a_client_is_registered_and_found(world):
    made = register(world, client_id="care-booking")
    client = world.do(find_client, "care-booking")
    assert client == made.client
    assert client.name_in("en") == "Care booking"
    assert client.name_in("ja-simple") == "一時あずかり予約"
    assert client.sector == "host:booking.example"


def test_without_an_id_of_its_own_it_gets_a_random_one(world):
    first, second = register(world), register(world)
    assert first.client.client_id != second.client.client_id
    assert len(first.client.client_id) == 24


def test_ca_08_the_secret_is_shown_once_and_stored_as_a_digest(world):
    made = register(world, client_id="care-booking")
    row = world.one(select(ClientSecret).where(ClientSecret.client_id == "care-booking"))
    assert row.digest == digest(made.secret)
    assert len(made.secret) >= 43
    exported = world.do(export_client, made.client)
    assert made.secret not in repr((exported, vars(row), made.client))


def test_a_public_client_has_no_secret(world):
    made = register(world, token_endpoint_auth_method="none")
    assert made.secret is None
    refused = world.do(
        rotate_secret, made.client.client_id, actor=COMMAND_LINE, keys=world.keys, now=world.now
    )
    assert refused is RegistrationRefusal.NO_SECRET


def test_an_id_is_given_once(world):
    register(world, client_id="care-booking")
    assert register(world, client_id="care-booking") is RegistrationRefusal.CLIENT_ID_TAKEN


def test_an_unknown_municipality_is_refused(world):
    refused = register(world, kosodate_municipality="000000")
    assert refused is RegistrationRefusal.MUNICIPALITY_UNKNOWN


def test_a_municipality_is_the_sector_of_its_services(world):
    town = world.one(select(Municipality))
    made = register(world, kosodate_municipality=town.code)
    assert made.client.sector == f"municipality:{town.code}"
    assert made.client.municipality_id == town.id


def test_two_hosts_need_a_sector(world):
    uris = ["https://one.example/cb", "https://two.example/cb"]
    assert register(world, redirect_uris=uris) is RegistrationRefusal.SECTOR_NEEDED
    made = register(world, redirect_uris=uris, kosodate_sector="kakuu")
    assert made.client.sector == "kakuu"


def test_the_sector_cannot_change_because_every_sub_would(world):
    register(world, client_id="care-booking")
    changed = document(kosodate_sector="other")
    refused = world.do(update_client, "care-booking", changed, actor=COMMAND_LINE, now=world.now)
    assert refused is RegistrationRefusal.SECTOR_FIXED


def test_a_change_holds_at_once_in_every_process(world):
    register(world, client_id="care-booking")
    assert world.do(find_client, "care-booking").scopes == {"openid", "profile", "household"}
    changed = document(scope="openid")
    world.do(update_client, "care-booking", changed, actor=COMMAND_LINE, now=world.now)
    assert world.do(find_client, "care-booking").scopes == {"openid"}


def test_a_change_that_was_rolled_back_is_not_remembered(world):
    register(world, client_id="care-booking")
    with pytest.raises(ZeroDivisionError):
        _change_and_fail(world)
    narrower = document(scope="openid profile")
    world.do(update_client, "care-booking", narrower, actor=COMMAND_LINE, now=world.now)
    assert world.do(find_client, "care-booking").scopes == {"openid", "profile"}


def _change_and_fail(world):
    with transaction(world.sessions) as db:
        changed = document(scope="openid")
        update_client(db, "care-booking", changed, actor=COMMAND_LINE, now=world.now)
        raise ZeroDivisionError


def test_changing_an_unknown_client_is_refused(world):
    refused = world.do(update_client, "nobody", document(), actor=COMMAND_LINE, now=world.now)
    assert refused is RegistrationRefusal.CLIENT_UNKNOWN
    refused = world.do(rotate_secret, "nobody", actor=COMMAND_LINE, keys=world.keys, now=world.now)
    assert refused is RegistrationRefusal.CLIENT_UNKNOWN


def test_every_algorithm_we_offer_has_a_key_from_the_start(world):
    for alg in REQUIRED:
        made = register(world, client_id=f"care-{alg}", id_token_signed_response_alg=alg)
        assert made.client.id_token_signed_response_alg == alg


def test_an_algorithm_without_a_key_is_refused(world):
    for alg in set(ID_TOKEN_ALGORITHMS).difference(REQUIRED):
        made = register(world, id_token_signed_response_alg=alg)
        assert made is RegistrationRefusal.KEY_MISSING


def test_a_file_can_be_imported_again_and_again(world):
    secret = "a-secret-that-somebody-else-made-1234"
    first = document(client_id="care-booking", client_secret=secret)
    made = world.do(import_client, first, actor=COMMAND_LINE, keys=world.keys, now=world.now)
    assert made.secret == secret
    for _ in range(2):
        again = replace(first, is_consented=True)
        world.do(import_client, again, actor=COMMAND_LINE, keys=world.keys, now=world.now)
    client = world.do(find_client, "care-booking")
    assert client.is_consented
    assert [each.digest for each in client.secrets] == [digest(secret)]


def test_what_is_exported_can_be_imported(world):
    made = register(world, client_id="care-booking", kosodate_consented=True)
    exported = world.do(export_client, made.client)
    again = parse_registration(exported, rules=AddressRules())
    changed = world.do(import_client, again, actor=COMMAND_LINE, keys=world.keys, now=world.now)
    assert replace(changed.client, version=made.client.version) == made.client


def test_ca_09_two_secrets_work_during_a_rotation(world):
    first = register(world, client_id="care-booking").secret
    rotated = world.do(
        rotate_secret,
        "care-booking",
        actor=COMMAND_LINE,
        keys=world.keys,
        now=world.now,
        overlap=timedelta(days=7),
    )
    both = {digest(first), digest(rotated.secret)}
    assert _valid(world) == both
    world.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    assert _valid(world) == both
    world.clock.advance(timedelta(seconds=1))
    assert _valid(world) == {digest(rotated.secret)}


def test_ca_09_a_third_secret_ends_the_first(world):
    first = register(world, client_id="care-booking").secret
    for _ in range(2):
        world.clock.advance(timedelta(minutes=1))
        world.do(rotate_secret, "care-booking", actor=COMMAND_LINE, keys=world.keys, now=world.now)
    assert len(_valid(world)) == 2
    assert digest(first) not in _valid(world)


def test_ca_09_a_leaked_secret_can_be_ended_at_once(world):
    register(world, client_id="care-booking")
    world.clock.advance(timedelta(minutes=1))
    newest = world.do(
        rotate_secret, "care-booking", actor=COMMAND_LINE, keys=world.keys, now=world.now
    ).secret
    assert world.do(end_old_secrets, "care-booking", actor=COMMAND_LINE, now=world.now)
    assert _valid(world) == {digest(newest)}
    assert not world.do(end_old_secrets, "care-booking", actor=COMMAND_LINE, now=world.now)


def _valid(world):
    client = world.do(find_client, "care-booking")
    return {each.digest for each in valid_secrets(client, now=world.now)}


def test_a_disabled_client_is_not_found_until_it_is_enabled(world):
    register(world, client_id="care-booking")
    assert world.do(disable_client, "care-booking", actor=COMMAND_LINE, now=world.now)
    assert world.do(find_client, "care-booking") is None
    assert not world.do(find_any_client, "care-booking").is_active
    assert world.do(enable_client, "care-booking", actor=COMMAND_LINE, now=world.now)
    assert world.do(find_client, "care-booking").is_active


def test_a_file_does_not_enable_a_disabled_client(world):
    registration = document(client_id="care-booking")
    world.do(import_client, registration, actor=COMMAND_LINE, keys=world.keys, now=world.now)
    assert world.do(disable_client, "care-booking", actor=COMMAND_LINE, now=world.now)
    world.do(import_client, registration, actor=COMMAND_LINE, keys=world.keys, now=world.now)
    assert not world.do(find_any_client, "care-booking").is_active


@pytest.mark.parametrize("client_id", ["", "nobody", "nul\0", "日本", "\ud800", "x" * 300])
def test_what_can_be_no_client_is_not_found(world, client_id):
    assert world.do(find_client, client_id) is None


def test_ca_10_only_registered_origins_are_known(world):
    register(world, kosodate_cors_origins=["https://spa.example"])
    assert world.do(is_registered_origin, "https://spa.example")
    for origin in ("https://spa.example/", "null", "https://evil.example"):
        assert not world.do(is_registered_origin, origin)


def test_clients_are_listed_by_municipality(world):
    register(world, client_id="care-booking")
    assert [each.client_id for each in world.do(list_clients)] == ["app", "booking", "care-booking"]
    own = world.do(list_clients, municipality_id=world.municipality_id)
    assert [each.client_id for each in own] == ["app", "booking"]


def test_b21_the_services_of_a_family_are_her_municipalitys_and_those_for_all(world):
    start_at = {"initiate_login_uri": "https://booking.example/login"}
    register(world, client_id="for-all", **start_at)
    register(world, client_id="silent")
    town = world.one(select(Municipality))
    register(world, client_id="of-town", kosodate_municipality=town.code, **start_at)
    register(world, client_id="stopped", **start_at)
    world.do(disable_client, "stopped", actor=COMMAND_LINE, now=world.now)
    own = world.do(list_services, world.municipality_id)
    assert [each.client_id for each in own] == ["for-all", "of-town"]
    assert [each.client_id for each in world.do(list_services, None)] == ["for-all"]


def test_public_subjects_share_one_sector(world):
    made = register(world, subject_type="public")
    assert made.client.subject_type is SubjectType.PUBLIC
    assert subject_sector(made.client) == "public"


def test_every_change_is_in_the_audit(world):
    register(world, client_id="care-booking")
    world.do(update_client, "care-booking", document(), actor=COMMAND_LINE, now=world.now)
    world.do(rotate_secret, "care-booking", actor=COMMAND_LINE, keys=world.keys, now=world.now)
    world.do(disable_client, "care-booking", actor=COMMAND_LINE, now=world.now)
    names = {each.name for each in world.all(select(AuditEvent))}
    assert names >= {
        "client.registered",
        "client.updated",
        "client.secret_rotated",
        "client.disabled",
    }


def test_of_two_who_save_the_same_version_one_wins(world):
    made = register(world, client_id="care-booking")
    seen = made.client.version
    assert world.do(claim_version, "care-booking", seen, now=world.now)
    assert not world.do(claim_version, "care-booking", seen, now=world.now)
    assert world.do(find_any_client, "care-booking").version != seen


def test_the_audit_names_the_members_that_were_changed(world):
    register(world, client_id="care-booking")
    changed = DOCUMENT | {"client_id": "care-booking", "contacts": ["ops@example.jp"]}
    registration = parse_registration(changed, rules=AddressRules())
    world.do(update_client, "care-booking", registration, actor=COMMAND_LINE, now=world.now)
    row = world.one(select(AuditEvent).where(AuditEvent.name == "client.updated"))
    assert row.detail == {"members": "contacts"}


@pytest.mark.parametrize(
    ("actor", "origin"),
    [
        (COMMAND_LINE, ClientOrigin.COMMAND_LINE),
        (SEED, ClientOrigin.SEED),
        (Actor(kind="registrant"), ClientOrigin.REGISTRATION),
        (Actor(kind="account"), ClientOrigin.CONSOLE),
    ],
)
def test_it_is_known_how_a_client_came(world, actor, origin):
    document = DOCUMENT | {"client_id": "care-booking"}
    registration = parse_registration(document, rules=AddressRules())
    world.do(register_client, registration, actor=actor, keys=world.keys, now=world.now)
    assert world.do(list_arrivals)["care-booking"].origin is origin
