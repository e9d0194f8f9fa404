"""Claims about a person: what was asked, allowed and known, and nothing that could hurt."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from idp.base.ids import new_id
from idp.domain.grants.clients import find_client
from idp.domain.grants.userinfo import Asked, build_person_claims
from idp.model.households import MembershipRole, Municipality
from idp.model.people import Account, ProofingEvent, ProtectionFlag
from idp.model.upkeep import PendingNotice
from idp.protocol.claims import SUPPORTED, claims_of_scopes
from idp.protocol.scope import SUPPORTED as SCOPES
from tests.factories import make_account, make_household, make_member, make_municipality


def claims(world, *scopes, **changes):
    scopes = scopes or SCOPES
    asked = Asked(
        client=world.do(find_client, "booking"),
        account_id=world.account_id,
        household_id=world.household_id,
        names=claims_of_scopes(scopes),
        allowed_scopes=frozenset(scopes),
    )
    return world.do(build_person_claims, replace(asked, **changes), keys=world.keys, now=world.now)


def write(world, **columns):
    statement = update(Account).where(Account.id == world.account_id).values(**columns)
    world.do(lambda db: db.execute(statement))


def protect(world, account_id):
    def run(db):
        officer = make_account(db, now=world.now)
        db.add(
            ProtectionFlag(
                id=new_id(now=world.now),
                account_id=account_id,
                reason="x",
                set_by=officer.id,
                set_at=world.now,
            )
        )

    world.do(run)


def add_proxy(world, **columns):
    """Make a grandmother who acts for the mother's household."""

    def run(db):
        proxy = make_account(db, now=world.now, municipality_id=world.municipality_id)
        make_member(
            db,
            household_id=world.household_id,
            account=proxy,
            now=world.now,
            role=MembershipRole.PROXY,
            **columns,
        )
        return proxy.id

    return world.do(run)


def test_the_profile_has_the_name_in_both_scripts(world):
    write(world, family_name_kana="サクラ", given_name_kana="ミサキ")
    found = claims(world, "profile")
    assert found["name"] == "佐倉 美咲"
    assert (found["family_name"], found["given_name"]) == ("佐倉", "美咲")
    assert found["family_name#ja-Kana-JP"] == "サクラ"
    assert found["given_name#ja-Kana-JP"] == "ミサキ"
    assert (found["locale"], found["zoneinfo"]) == ("ja", "Asia/Tokyo")
    assert found["updated_at"] == int(world.now.timestamp())


def test_what_is_not_known_is_left_out(world):
    found = claims(world, "profile", "phone", "address")
    assert "family_name#ja-Kana-JP" not in found
    assert not {"phone_number", "phone_number_verified", "address"} & set(found)


def test_the_address_of_a_mailbox_says_whether_it_was_proved(world):
    assert claims(world, "email")["email_verified"] is False
    write(world, email_verified_at=world.now)
    assert claims(world, "email")["email_verified"] is True
    write(world, email=None)
    assert claims(world, "email") == {}


def test_phone_and_address_have_their_shape(world):
    write(
        world,
        phone_number="+819012345678",
        postal_code="1000001",
        region="架空県",
        locality="架空市",
        street_address="本町1-2",
    )
    found = claims(world, "phone", "address")
    assert found["phone_number"] == "+819012345678"
    assert found["phone_number_verified"] is False
    assert found["address"] == {
        "postal_code": "1000001",
        "region": "架空県",
        "locality": "架空市",
        "street_address": "本町1-2",
        "formatted": "〒100-0001 架空県架空市本町1-2",
        "country": "JP",
    }


def test_a38_the_household_names_the_role(world):
    household = claims(world, "household")["kosodate_household"]
    assert household["role"] == "representative"
    assert len(household["id"]) == 43
    assert str(world.household_id) not in household["id"]


def test_a_household_has_another_name_in_another_sector(world):
    client = world.do(find_client, "booking")
    elsewhere = replace(client, sector="municipality:999999")
    here = claims(world, "household")["kosodate_household"]["id"]
    there = claims(world, "household", client=elsewhere)["kosodate_household"]["id"]
    assert here != there


def test_children_are_id_birthdate_and_status(world):
    (child,) = claims(world, "children")["kosodate_children"]
    assert child["birthdate"] == "2025-06-01"
    assert child["status"] == "active"
    assert set(child) == {"id", "birthdate", "status"}


def test_a_child_that_aged_out_stays_with_its_status(world):
    world.clock.set(world.now.replace(year=2028, month=5, day=31))
    (child,) = claims(world, "children")["kosodate_children"]
    assert child["status"] == "aged_out"


def test_children_are_given_only_where_the_municipality_does(world):
    world.do(lambda db: db.execute(update(Municipality).values(shares_children=False)))
    assert "kosodate_children" not in claims(world, "children")


def test_a33_a35_a_proxy_acts_for_the_household_as_herself(world):
    proxy_id = add_proxy(world)
    found = claims(world, account_id=proxy_id)
    assert found["kosodate_household"]["role"] == "proxy"
    (delegation,) = found["kosodate_delegations"]
    assert delegation["household_id"] == found["kosodate_household"]["id"]
    assert delegation["role"] == "proxy"
    assert delegation["categories"] == [{"code": "*", "active": True}]
    assert delegation["grantor"] != delegation["household_id"]
    assert "valid_until" not in delegation


def test_a35_categories_and_the_end_are_named(world):
    until = world.now + timedelta(days=30)
    proxy_id = add_proxy(world, categories={"booking": True, "money": False}, valid_until=until)
    (delegation,) = claims(world, "delegation", account_id=proxy_id)["kosodate_delegations"]
    assert delegation["categories"] == [
        {"code": "booking", "active": True},
        {"code": "money", "active": False},
    ]
    assert delegation["valid_until"] == until.isoformat()
    world.clock.set(until)
    assert claims(world, "delegation", account_id=proxy_id)["kosodate_delegations"] == []


def test_the_representative_has_no_delegations(world):
    assert claims(world, "delegation")["kosodate_delegations"] == []


def test_a_household_elsewhere_is_nobodys_business_here(world):
    def move(db):
        other = make_municipality(db, now=world.now)
        mother = db.get(Account, world.account_id)
        return make_household(db, now=world.now, municipality_id=other.id, representative=mother).id

    elsewhere = world.do(move)
    found = claims(world, "household", "children", "delegation", household_id=elsewhere)
    assert found == {"kosodate_delegations": []}


def test_a_household_she_does_not_belong_to_is_never_named(world):
    assert claims(world, "household", "children", household_id=uuid4()) == {}
    assert claims(world, "household", "children", "notices", household_id=None) == {}


def test_d3_nothing_tells_where_a_protected_person_lives(world):
    write(world, postal_code="1000001", region="架空県")
    protect(world, world.account_id)
    assert "address" not in claims(world, "address")


def test_d3_nothing_names_a_protected_representative(world):
    proxy_id = add_proxy(world)
    protect(world, world.account_id)
    found = claims(world, account_id=proxy_id)
    assert "grantor" not in found["kosodate_delegations"][0]
    assert "protect" not in repr(found)


def test_assurance_says_what_was_seen(world):
    assert claims(world, "assurance")["kosodate_assurance"] == {"ial": 1}

    def proof(db):
        officer = make_account(db, now=world.now)
        db.add(
            ProofingEvent(
                id=new_id(now=world.now),
                account_id=world.account_id,
                staff_id=officer.id,
                method="counter",
                document_kind="driving_licence",
                at=world.now,
            )
        )

    world.do(proof)
    assert claims(world, "assurance")["kosodate_assurance"] == {
        "ial": 2,
        "method": "counter",
        "proofed_at": int(world.now.timestamp()),
    }


def test_notices_are_the_callers_own(world):
    def note(db):
        for client_id, code in (("booking", "unread"), ("app", "other")):
            db.add(
                PendingNotice(
                    id=new_id(now=world.now),
                    client_id=client_id,
                    household_id=world.household_id,
                    code=code,
                    count=2,
                    updated_at=world.now,
                )
            )

    world.do(note)
    assert claims(world, "notices")["kosodate_pending"] == [{"code": "unread", "count": 2}]


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope != "openid"])
def test_a_scope_that_was_not_granted_gives_nothing(world, scope):
    assert claims(world, scope, allowed_scopes=frozenset({"openid"})) == {}


def test_everything_that_can_be_given_is_published(world):
    write(world, phone_number="+819012345678", postal_code="1000001", region="架空県")
    write(world, family_name_kana="サクラ", given_name_kana="ミサキ")
    assert set(claims(world)) <= set(SUPPORTED)
    assert date(2025, 6, 1).isoformat() in repr(claims(world))
