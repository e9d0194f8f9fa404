"""A service names a household by the id it knows; nobody else's household is found."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.grants.clients import find_client
from idp.domain.grants.known_households import find_household_by_subject
from idp.protocol.subject import SubjectKind, derive_subject
from tests.factories import make_household, make_municipality


def subject_of(world, household_id, client):
    return derive_subject(
        world.keys.subject_key,
        SubjectKind.HOUSEHOLD,
        sector=client.sector,
        entity_id=household_id,
    )


def find(world, client, subject):
    return world.do(find_household_by_subject, client, subject, keys=world.keys)


@pytest.fixture
def booking(world):
    return world.do(find_client, "booking")


def test_a33_a_service_finds_the_household_it_means(world, booking):
    subject = subject_of(world, world.household_id, booking)
    for _ in range(2):
        assert find(world, booking, subject) == world.household_id


def test_a_household_added_later_is_found_too(world, booking):
    assert find(world, booking, "x" * 43) is None
    for seconds in (0, 0, 60):
        world.clock.advance(timedelta(seconds=seconds))
        home = world.do(make_household, now=world.now, municipality_id=world.municipality_id)
        assert find(world, booking, subject_of(world, home.id, booking)) == home.id


def test_another_sectors_id_finds_nothing(world, booking):
    elsewhere = replace(booking, sector="other")
    assert find(world, booking, subject_of(world, world.household_id, elsewhere)) is None


def test_a_household_of_another_municipality_is_not_found(world, booking):
    other = world.do(make_municipality, now=world.now)
    home = world.do(make_household, now=world.now, municipality_id=other.id)
    subject = subject_of(world, home.id, booking)
    assert find(world, booking, subject) is None
    assert find(world, replace(booking, municipality_id=None), subject) == home.id


@pytest.mark.parametrize("text", ["", "x", "x" * 44, "ü" * 43, "x" * 42 + "\n", "\ud800" * 43])
def test_what_can_be_no_id_is_not_looked_for(world, booking, text):
    assert find(world, booking, text) is None
