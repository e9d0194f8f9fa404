"""Removing a proxy: alone, at once, with sessions and tokens (D3, A37, PX-02, PX-03)."""

import pytest
from sqlalchemy import select

from idp.domain.access.proxies import (
    ProxyCase,
    Removal,
    leave_household,
    remove_proxy_alone,
)
from idp.domain.people.households import memberships_of, recipients_of
from idp.domain.people.memberships import members_of
from idp.domain.signin.recognition import find_session
from idp.domain.upkeep.audit import Actor
from idp.model.households import MembershipRole
from idp.model.upkeep import AuditEvent, OutboxMessage
from tests.domain.held import grant, start
from tests.factories import make_account, make_household, make_member


def case(home, delegation):
    return ProxyCase(household_id=home.id, membership_id=delegation.id)


def test_d3_the_representative_removes_a_proxy_alone_and_at_once(
    db, home, mother, father, delegation, by_mother, keys, now
):
    here = start(db, father, now, home.id)
    offline = grant(db, father, now, home.id)
    outcome = remove_proxy_alone(
        db, mother.id, case(home, delegation), actor=by_mother, keys=keys, now=now
    )
    assert outcome is Removal.DONE
    assert memberships_of(db, father.id, now=now) == ()
    assert find_session(db, here.token, now=now) is None
    db.refresh(offline)
    assert (offline.revoked_at, offline.revoke_reason) == (now, "access_changed")
    assert [each.account_id for each in recipients_of(db, home.id, now=now)] == [mother.id]


def test_px_03_the_household_is_gone_but_not_the_proxys_own(
    db, town, home, mother, father, delegation, by_mother, keys, now
):
    own = make_household(db, now=now, municipality_id=town.id, representative=father)
    elsewhere = start(db, father, now, own.id)
    kept = grant(db, father, now, own.id, elsewhere.session_id)
    remove_proxy_alone(db, mother.id, case(home, delegation), actor=by_mother, keys=keys, now=now)
    db.refresh(kept)
    assert kept.revoked_at is None
    assert find_session(db, elsewhere.token, now=now) is not None
    assert [each.household_id for each in memberships_of(db, father.id, now=now)] == [own.id]


def test_d3_the_mail_to_the_removed_names_nobody(
    db, home, mother, father, delegation, by_mother, keys, now
):
    remove_proxy_alone(db, mother.id, case(home, delegation), actor=by_mother, keys=keys, now=now)
    db.flush()
    [mail] = db.scalars(select(OutboxMessage).where(OutboxMessage.name == "access_changed"))
    assert mail.account_id == father.id
    body = keys.sealer.unseal(mail.sealed_body, context=f"outbox:{mail.id}")
    assert body == b'{"facts": {}, "to": null}'


def test_a37_who_removed_a_proxy_is_written_down(
    db, home, mother, father, delegation, by_mother, keys, now
):
    remove_proxy_alone(db, mother.id, case(home, delegation), actor=by_mother, keys=keys, now=now)
    db.flush()
    [row] = db.scalars(select(AuditEvent).where(AuditEvent.name == "proxy.removed"))
    assert (row.actor_id, row.subject_id, row.reason) == (mother.id, father.id, "representative")


def test_a37_a_proxy_is_removed_once(db, home, mother, father, delegation, by_mother, keys, now):
    outcomes = [
        remove_proxy_alone(
            db, mother.id, case(home, delegation), actor=by_mother, keys=keys, now=now
        )
        for _ in range(2)
    ]
    assert outcomes == [Removal.DONE, Removal.UNKNOWN]
    assert len(db.scalars(select(OutboxMessage)).all()) == 1


def test_px_02_a_proxy_removes_neither_the_guardian_nor_another_proxy(
    db, town, home, mother, father, delegation, keys, now
):
    aunt = make_account(db, now=now, municipality_id=town.id)
    other = make_member(db, household_id=home.id, account=aunt, role=MembershipRole.PROXY, now=now)
    guardian = next(
        each for each in members_of(db, home.id, now=now) if each.account_id == mother.id
    )
    by_father = Actor(kind="account", account_id=father.id)
    for membership_id in (other.id, guardian.membership_id):
        outcome = remove_proxy_alone(
            db, father.id, ProxyCase(home.id, membership_id), actor=by_father, keys=keys, now=now
        )
        assert outcome is Removal.UNKNOWN
    refusals = select(AuditEvent).where(AuditEvent.name == "proxy.removal_refused")
    db.flush()
    assert len(db.scalars(refusals).all()) == 2


def test_px_02_the_representative_herself_is_no_proxy(db, home, mother, by_mother, keys, now):
    own = next(each for each in members_of(db, home.id, now=now))
    outcome = remove_proxy_alone(
        db,
        mother.id,
        ProxyCase(home.id, own.membership_id),
        actor=by_mother,
        keys=keys,
        now=now,
    )
    assert outcome is Removal.UNKNOWN


def test_px_02_a_household_of_others_is_out_of_reach(
    db, town, home, mother, father, delegation, keys, now
):
    stranger = make_account(db, now=now, municipality_id=town.id)
    make_household(db, now=now, municipality_id=town.id, representative=stranger)
    outcome = remove_proxy_alone(
        db,
        stranger.id,
        case(home, delegation),
        actor=Actor(kind="account", account_id=stranger.id),
        keys=keys,
        now=now,
    )
    assert outcome is Removal.UNKNOWN
    assert len(memberships_of(db, father.id, now=now)) == 1


@pytest.mark.parametrize(("who", "outcome"), [("father", "done"), ("mother", "unknown")])
def test_a37_a_proxy_may_leave_and_a_representative_may_not(
    db, home, mother, father, delegation, keys, now, who, outcome
):
    person = {"father": father, "mother": mother}[who]
    actor = Actor(kind="account", account_id=person.id)
    answer = leave_household(db, person.id, home.id, actor=actor, keys=keys, now=now)
    assert answer == outcome
