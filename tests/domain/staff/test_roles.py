"""Roles: who may do what, until when (D13, TN-03)."""

from datetime import timedelta

import pytest

from idp.domain.staff.roles import (
    LONGEST_ROLE,
    PERMISSIONS,
    NewRole,
    Permission,
    RoleFault,
    end_role,
    find_staff_member,
    grant_role,
    roles_of,
)
from idp.domain.upkeep.audit import COMMAND_LINE, Actor
from idp.model.people import AccountStatus, Door
from idp.model.staff import Role
from tests.domain.staff.helpers import acts
from tests.factories import make_account, make_staff


def person(db, town, now, door=Door.STAFF):
    return make_account(db, now=now, municipality_id=town.id if town else None, door=door)


def grant(db, account, role, town, now, actor=COMMAND_LINE, days=365):
    new = NewRole(
        account_id=account.id,
        role=role,
        municipality_id=town.id if town else None,
        valid_until=now + timedelta(days=days),
    )
    return grant_role(db, new, actor=actor, now=now)


def test_tn_03_a_role_gives_what_the_table_says(db, town, now):
    clerk = person(db, town, now)
    grant(db, clerk, Role.ISSUE_ONLY, town, now)
    member = find_staff_member(db, clerk.id, now=now)
    assert member.permissions == PERMISSIONS[Role.ISSUE_ONLY]
    assert (member.municipality_id, member.home) == (town.id, town.id)


def test_tn_01_an_administrator_sees_no_family():
    assert not PERMISSIONS[Role.MUNICIPALITY_STAFF] & PERMISSIONS[Role.SYSTEM_ADMIN]


def test_tn_03_no_role_of_a_municipality_manages_roles():
    for role in set(Role) - {Role.SYSTEM_ADMIN}:
        assert Permission.MANAGE_ROLES not in PERMISSIONS[role]


@pytest.mark.parametrize(("seconds", "holds"), [(-1, True), (0, False), (1, False)])
def test_tn_03_a_role_ends_by_itself(db, town, now, seconds, holds):
    end = now + timedelta(days=30)
    clerk = make_staff(db, now=now, municipality_id=town.id, valid_until=end)
    at = end + timedelta(seconds=seconds)
    assert (find_staff_member(db, clerk.id, now=at) is not None) is holds


def test_tn_03_a_role_that_was_ended_is_gone_at_once(db, town, now):
    clerk = make_staff(db, now=now, municipality_id=town.id)
    [held] = roles_of(db, clerk.id, now=now)
    assert end_role(db, held.id, actor=COMMAND_LINE, now=now)
    assert not end_role(db, held.id, actor=COMMAND_LINE, now=now)
    assert find_staff_member(db, clerk.id, now=now) is None


def test_tn_03_a_suspended_member_of_staff_may_nothing(db, town, now):
    clerk = make_staff(db, now=now, municipality_id=town.id, status=AccountStatus.SUSPENDED)
    assert find_staff_member(db, clerk.id, now=now) is None


def test_tn_03_nobody_grants_a_role_to_herself(db, town, now):
    clerk = person(db, town, now)
    herself = Actor(kind="account", account_id=clerk.id)
    outcome = grant(db, clerk, Role.MUNICIPALITY_STAFF, town, now, actor=herself)
    assert outcome is RoleFault.ONESELF


def test_tn_03_a_role_is_in_the_own_municipality(db, town, far_desk, now):
    clerk = person(db, town, now)
    new = NewRole(
        clerk.id,
        Role.MUNICIPALITY_STAFF,
        now + timedelta(days=1),
        municipality_id=far_desk.municipality_id,
    )
    assert grant_role(db, new, actor=COMMAND_LINE, now=now) is RoleFault.OTHER_MUNICIPALITY
    assert grant(db, clerk, Role.AUDITOR, None, now) is RoleFault.OTHER_MUNICIPALITY
    outcome = grant(db, clerk, Role.SYSTEM_ADMIN, town, now)
    assert outcome is RoleFault.OTHER_MUNICIPALITY


def test_tn_03_a_family_member_gets_no_role(db, town, now):
    guardian = person(db, town, now, door=Door.FAMILY)
    outcome = grant(db, guardian, Role.MUNICIPALITY_STAFF, town, now)
    assert outcome is RoleFault.NOT_STAFF


@pytest.mark.parametrize("days", [-1, 0, LONGEST_ROLE.days + 1])
def test_tn_03_every_role_has_an_end_within_reach(db, town, now, days):
    clerk = person(db, town, now)
    outcome = grant(db, clerk, Role.MUNICIPALITY_STAFF, town, now, days=days)
    assert outcome is RoleFault.NO_END


def test_tn_03_a_role_granted_again_has_the_new_end_only(db, town, now):
    clerk = person(db, town, now)
    grant(db, clerk, Role.AUDITOR, town, now, days=10)
    grant(db, clerk, Role.AUDITOR, town, now, days=20)
    [held] = roles_of(db, clerk.id, now=now)
    assert held.valid_until == now + timedelta(days=20)


def test_lg_04_granting_and_ending_are_written_down(db, town, now):
    clerk = person(db, town, now)
    role_id = grant(db, clerk, Role.AUDITOR, town, now)
    end_role(db, role_id, actor=COMMAND_LINE, now=now)
    assert acts(db, clerk.id) == ["role.ended", "role.granted"]
