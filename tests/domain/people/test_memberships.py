"""Becoming a member: once, with one representative, for a bounded time (A34, A38)."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest

from idp.db.session import transaction
from idp.domain.people.memberships import (
    LONGEST_PROXY,
    MemberFault,
    MemberStanding,
    NewMember,
    add_member,
    end_membership,
    find_representative,
    last_day,
    members_of,
)
from idp.model.households import MembershipRole
from tests.factories import make_account, make_household, make_municipality


def proxy(home, person, now, **changes):
    values = {
        "household_id": home.id,
        "account_id": person.id,
        "role": MembershipRole.PROXY,
        "valid_until": now + timedelta(days=30),
    }
    return NewMember(**(values | changes))


def test_a34_a_member_is_added_once(db, home, father, now):
    add_member(db, proxy(home, father, now), now=now)
    again = add_member(db, proxy(home, father, now), now=now)
    assert again is MemberFault.ALREADY_MEMBER


def test_a34_who_left_may_come_back(db, home, father, delegation, now):
    end_membership(db, delegation.id, now=now)
    assert not isinstance(add_member(db, proxy(home, father, now), now=now), MemberFault)
    standings = [each.standing for each in members_of(db, home.id, now=now)]
    assert standings.count(MemberStanding.ENDED) == 1


def test_a34_who_expired_may_be_added_again(db, home, father, now):
    add_member(db, proxy(home, father, now), now=now)
    later = now + timedelta(days=30)
    outcome = add_member(db, proxy(home, father, later), now=later)
    assert not isinstance(outcome, MemberFault)


def test_a38_a_household_has_one_representative(db, home, father, mother, now):
    new = proxy(home, father, now, role=MembershipRole.REPRESENTATIVE, valid_until=None)
    assert add_member(db, new, now=now) is MemberFault.HAS_REPRESENTATIVE
    assert find_representative(db, home.id, now=now) == mother.id


@pytest.mark.parametrize(
    ("period", "fits"),
    [
        (None, False),
        (timedelta(0), False),
        (timedelta(seconds=1), True),
        (LONGEST_PROXY, True),
        (LONGEST_PROXY + timedelta(seconds=1), False),
    ],
)
def test_a34_a_proxys_period_is_bounded(db, home, father, now, period, fits):
    until = now + period if period is not None else None
    outcome = add_member(db, proxy(home, father, now, valid_until=until), now=now)
    assert (outcome is not MemberFault.PERIOD) is fits


def test_a34_the_last_day_is_the_one_before_midnight_in_japan(now):
    midnight = now.replace(hour=15, minute=0)
    assert last_day(midnight).isoformat() == "2026-04-01"
    assert last_day(midnight + timedelta(microseconds=1)).isoformat() == "2026-04-02"


def test_a38_of_two_representatives_at_once_one_wins(sessions, clock):
    now = clock()
    with transaction(sessions) as db:
        town = make_municipality(db, now=now)
        home_id = make_household(db, now=now, municipality_id=town.id).id
        ids = [make_account(db, now=now, municipality_id=town.id).id for _ in range(2)]
    barrier, outcomes = Barrier(2), []

    def join(account_id):
        barrier.wait()
        with transaction(sessions) as db:
            new = NewMember(home_id, account_id, MembershipRole.REPRESENTATIVE)
            outcomes.append(add_member(db, new, now=now))

    threads = [Thread(target=join, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(MemberFault.HAS_REPRESENTATIVE) == 1
