"""Walks belong to one browser, end once, and take nothing more after their end."""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.signin import interactions
from idp.domain.signin.interactions import DeviceUse
from tests import factories


@pytest.fixture
def find(sessions, clock):
    def run(walk_id, token):
        with transaction(sessions) as db:
            return interactions.find_walk(db, walk_id, token, now=clock())

    return run


@pytest.fixture
def opened(sessions, clock):
    wanted = interactions.NewInteraction(
        purpose=interactions.HOME, return_path="/account/security", request={"scope": "openid"}
    )
    with transaction(sessions) as db:
        return interactions.open_interaction(db, wanted, browser_token=None, now=clock())


def test_ot_07_a_walk_opens_in_its_own_browser_only(opened, find):
    walk = find(opened.id, opened.browser_token)
    assert walk.return_path == "/account/security"
    assert walk.request["scope"] == "openid"
    assert find(opened.id, "another browser") is None
    assert find(opened.id, None) is None


def test_a_walk_ends_after_an_hour(opened, find, clock):
    clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert find(opened.id, opened.browser_token) is not None
    clock.advance(timedelta(microseconds=1))
    assert find(opened.id, opened.browser_token) is None


def test_a_walk_is_completed_once_by_twenty_at_the_same_time(sessions, clock, opened, race):
    def complete(_number):
        with transaction(sessions) as db:
            return interactions.complete_walk(db, opened.id, now=clock())

    assert sum(race(20, complete)) == 1


def test_ot_13_nothing_is_added_to_a_completed_walk(sessions, clock, opened, mother):
    with transaction(sessions) as db:
        assert interactions.complete_walk(db, opened.id, now=clock())
        assert not interactions.record_terms(db, opened.id, now=clock())
        assert not interactions.record_consent(db, opened.id, now=clock())
        assert not interactions.record_denial(db, opened.id, now=clock())
        assert not interactions.record_password(
            db, opened.id, mother.id, use=DeviceUse.OWN, now=clock()
        )


def test_a_second_person_in_a_walk_inherits_nothing(sessions, clock, opened, find, town, mother):
    with transaction(sessions) as db:
        interactions.record_password(db, opened.id, mother.id, use=DeviceUse.SHARED, now=clock())
        interactions.record_consent(db, opened.id, now=clock())
        home = factories.make_household(
            db, now=clock(), municipality_id=town.id, representative=mother
        )
        interactions.record_household(db, opened.id, home.id)
        other = factories.make_account(db, now=clock(), municipality_id=town.id)
        interactions.record_password(db, opened.id, other.id, use=DeviceUse.OWN, now=clock())
    walk = find(opened.id, opened.browser_token)
    assert walk.account_id == other.id
    assert (walk.consent_at, walk.household_id, walk.device_use) == (None, None, DeviceUse.OWN)


def test_a09_the_newest_open_walk_of_a_browser_is_where_it_goes_on(sessions, clock):
    home = interactions.NewInteraction(purpose=interactions.HOME)
    staff = interactions.NewInteraction(purpose=interactions.STAFF)
    families = frozenset({interactions.HOME, interactions.AUTHORIZE})
    with transaction(sessions) as db:
        first = interactions.open_interaction(db, home, browser_token=None, now=clock())
        token = first.browser_token
        second = interactions.open_interaction(
            db, home, browser_token=token, now=clock.advance(timedelta(seconds=1))
        )
        interactions.open_interaction(
            db, staff, browser_token=token, now=clock.advance(timedelta(seconds=1))
        )

        def latest():
            return interactions.find_latest_walk(db, token, purposes=families, now=clock())

        assert latest().id == second.id
        interactions.complete_walk(db, second.id, now=clock())
        assert latest().id == first.id
        interactions.record_denial(db, first.id, now=clock())
        assert latest() is None
