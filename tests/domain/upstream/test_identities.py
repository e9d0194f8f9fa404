"""Requests are answered once and identities belong to one person, whatever runs at once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.signin.recognition import find_session
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.domain.upkeep.audit import SYSTEM
from idp.domain.upstream.identities import LinkRefusal, find_account_of, link_identity
from idp.domain.upstream.requests import RECOVER, begin_recovery, claim_request
from idp.model.people import Door
from idp.model.upstream import LinkedIdentity
from idp.protocol.acr import Acr
from idp.protocol.upstream import Profile, UpstreamIdentity
from tests import factories

KEYS = factories.make_keyring()
ISSUER = "https://up.example"


@pytest.fixture
def people(sessions, clock):
    """Two people who are signed in."""
    with transaction(sessions) as db:
        town = factories.make_municipality(db, now=clock())
        return [sign_in(db, town, now=clock()) for _ in range(2)]


def sign_in(db, town, *, now):
    account = factories.make_account(db, now=now, municipality_id=town.id)
    started = start_session(
        db,
        NewSession(
            account_id=account.id,
            door=Door.FAMILY,
            acr=Acr.MAILED_CODE.value,
            amr=("pwd", "otp"),
            device_label="Firefox",
            limits=SessionLimits(),
        ),
        now=now,
    )
    return find_session(db, started.token, now=now)


def identity(subject="card-1", name="佐倉 美咲"):
    return UpstreamIdentity(ISSUER, subject, "aal3", name, Profile.DIGITAL_AUTH_APP)


def at_once(operations):
    barrier, outcomes = threading.Barrier(len(operations)), []

    def run(operation):
        barrier.wait()
        outcomes.append(operation())

    threads = [threading.Thread(target=run, args=(each,)) for each in operations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_many_answers_with_one_state_one_is_taken(sessions, clock):
    now = clock()
    with transaction(sessions) as db:
        begun = begin_recovery(db, keys=KEYS, now=now)

    def claim():
        with transaction(sessions) as db:
            token = begun.browser_token
            return claim_request(db, begun.secrets.state, token, keys=KEYS, now=now)

    taken = [each for each in at_once([claim] * 8) if each is not None]
    assert [each.purpose for each in taken] == [RECOVER]
    assert taken[0].secrets == begun.secrets


@pytest.mark.parametrize("token", [None, "", "x" * 43])
def test_ot_07_the_cookie_of_another_browser_claims_nothing(sessions, clock, token):
    now = clock()
    with transaction(sessions) as db:
        begun = begin_recovery(db, keys=KEYS, now=now)
    with transaction(sessions) as db:
        assert claim_request(db, begun.secrets.state, token, keys=KEYS, now=now) is None
    later = now + timedelta(minutes=10) - timedelta(seconds=1)
    with transaction(sessions) as db:
        token = begun.browser_token
        assert claim_request(db, begun.secrets.state, token, keys=KEYS, now=later)


def test_of_two_people_with_one_card_one_has_it(sessions, clock, people):
    def link(person):
        def run():
            with transaction(sessions) as db:
                return link_identity(db, person, identity(), actor=SYSTEM, keys=KEYS, now=clock())

        return run

    outcomes = at_once([link(person) for person in people])
    assert [each for each in outcomes if isinstance(each, LinkRefusal)] == [LinkRefusal.TAKEN]
    with transaction(sessions) as db:
        (row,) = db.scalars(select(LinkedIdentity)).all()
        assert find_account_of(db, identity()) == row.account_id
        assert find_account_of(db, identity("card-2")) is None


def test_of_two_tabs_with_two_cards_one_is_linked(sessions, clock, people):
    def link(subject):
        def run():
            with transaction(sessions) as db:
                return link_identity(
                    db, people[0], identity(subject), actor=SYSTEM, keys=KEYS, now=clock()
                )

        return run

    outcomes = at_once([link("card-1"), link("card-2")])
    assert sum(isinstance(each, LinkRefusal) for each in outcomes) == 1
    with transaction(sessions) as db:
        assert len(db.scalars(select(LinkedIdentity)).all()) == 1
