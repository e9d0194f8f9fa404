"""The sector of a client: as said, as proven, or refused (OIDC Core §8.1)."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from idp.domain.grants.client_addresses import NOTHING, Gathered
from idp.domain.grants.client_sector import SectorFault, choose_sector, find_sector_change
from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.grants.initial_access_tokens import (
    TokenOrder,
    TokenRefusal,
    create_initial_token,
)
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.protocol.addresses import AddressRules
from idp.protocol.client import RegisteredClient
from idp.protocol.registration import parse_registration

ONE, TWO = "https://one.example/cb", "https://two.example/cb"
LIST = "https://sector.example/uris.json"


def registration(**changes):
    document = {"client_name": "書庫", "redirect_uris": [ONE]} | changes
    return parse_registration(document, rules=AddressRules())


def gathered(sector=None):
    return Gathered(sector=sector)


def choose(wanted, proven=None):
    return choose_sector(wanted, "client-1", gathered(proven))


@pytest.mark.parametrize(
    ("changes", "proven", "sector"),
    [
        ({}, None, "host:one.example"),
        ({"kosodate_municipality": "990001"}, None, "municipality:990001"),
        ({"kosodate_sector": "said-so"}, None, "said-so"),
        ({"redirect_uris": [ONE, TWO]}, None, SectorFault.NEEDED),
        ({"redirect_uris": [ONE, TWO], "subject_type": "public"}, None, "client:client-1"),
        ({"sector_identifier_uri": LIST}, "host:sector.example", "host:sector.example"),
        ({"sector_identifier_uri": LIST}, None, SectorFault.UNPROVEN),
    ],
)
def test_the_sector_is_said_or_proven_or_the_one_host(changes, proven, sector):
    assert choose(registration(**changes), proven) == sector


def test_the_registry_refuses_with_the_same_words():
    assert {fault.value for fault in SectorFault} <= {
        refusal.value for refusal in RegistrationRefusal
    }
    assert RegistrationRefusal.SECTOR_UNPROVEN.value == SectorFault.UNPROVEN.value


def test_a_change_that_would_change_every_sub_is_refused():
    known = SimpleNamespace(
        sector="host:sector.example", sector_identifier_uri=None, redirect_uris=(ONE,)
    )
    said = replace(registration(), sector="another")
    assert find_sector_change(said, known, gathered()) is SectorFault.FIXED
    assert find_sector_change(registration(), known, gathered()) is None
    listed = registration(sector_identifier_uri=LIST)
    assert find_sector_change(listed, known, gathered()) is SectorFault.UNPROVEN
    assert find_sector_change(listed, known, gathered("host:sector.example")) is None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"client_name": "別の名前"}, None),
        ({"redirect_uris": [TWO, ONE]}, None),
        ({"redirect_uris": [ONE]}, SectorFault.UNPROVEN),
        ({"redirect_uris": [ONE, TWO, f"{ONE}/2"]}, SectorFault.UNPROVEN),
        ({"sector_identifier_uri": f"{LIST}?2"}, SectorFault.UNPROVEN),
        ({"sector_identifier_uri": "https://other.example/"}, SectorFault.FIXED),
        ({"sector_identifier_uri": None}, None),
    ],
)
def test_a_sector_is_proven_anew_only_where_what_it_rests_on_changes(changes, fault):
    proven = {"sector_identifier_uri": LIST, "redirect_uris": [ONE, TWO]}
    before = registration(**proven).metadata
    known = RegisteredClient(**vars(before), client_id="client-1", sector="host:sector.example")
    document = {name: value for name, value in (proven | changes).items() if value is not None}
    assert find_sector_change(registration(**document), known, NOTHING) is fault


def test_a_registration_token_of_an_unknown_municipality_is_not_made(world):
    order = TokenOrder(
        label="test",
        scopes=frozenset({"openid"}),
        expires_at=world.now,
        municipality_code="123456",
    )
    made = world.do(create_initial_token, order, actor=COMMAND_LINE, now=world.now)
    assert made is TokenRefusal.MUNICIPALITY_UNKNOWN
