"""Roles of staff: who may do what, in which municipality, until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.domain.people.accounts import find_usable
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.people import Account, Door
from idp.model.staff import Role, StaffRole

#: Every role ends: a year, and a month for the April review.
LONGEST_ROLE = timedelta(days=396)


class Permission(StrEnum):
    """What a view may demand. A view demands exactly one."""

    # A municipality's families:
    VIEW_PEOPLE = "view_people"
    ISSUE = "issue"
    CORRECT = "correct"
    MANAGE_MEMBERS = "manage_members"
    SUSPEND = "suspend"
    RECOVER = "recover"
    PROTECT = "protect"
    VIEW_MAIL = "view_mail"
    VIEW_AUDIT = "view_audit"
    # The whole provider:
    MANAGE_CLIENTS = "manage_clients"
    MANAGE_DOCUMENTS = "manage_documents"
    MANAGE_MUNICIPALITIES = "manage_municipalities"
    MANAGE_ROLES = "manage_roles"
    MANAGE_KEYS = "manage_keys"
    PLAN_MAINTENANCE = "plan_maintenance"
    VIEW_SYSTEM_AUDIT = "view_system_audit"


#: The written table of TN-01. An administrator sees no family: least privilege.
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.MUNICIPALITY_STAFF: frozenset(
            {
                Permission.VIEW_PEOPLE,
                Permission.ISSUE,
                Permission.CORRECT,
                Permission.MANAGE_MEMBERS,
                Permission.SUSPEND,
                Permission.RECOVER,
                Permission.PROTECT,
                Permission.VIEW_MAIL,
                Permission.VIEW_AUDIT,
            }
        ),
        Role.ISSUE_ONLY: frozenset(
            {Permission.VIEW_PEOPLE, Permission.ISSUE, Permission.VIEW_MAIL}
        ),
        Role.READ_ONLY: frozenset({Permission.VIEW_PEOPLE, Permission.VIEW_MAIL}),
        Role.AUDITOR: frozenset({Permission.VIEW_AUDIT}),
        Role.SYSTEM_ADMIN: frozenset(
            {
                Permission.MANAGE_CLIENTS,
                Permission.MANAGE_DOCUMENTS,
                Permission.MANAGE_MUNICIPALITIES,
                Permission.MANAGE_ROLES,
                Permission.MANAGE_KEYS,
                Permission.PLAN_MAINTENANCE,
                Permission.VIEW_SYSTEM_AUDIT,
            }
        ),
    }
)


@dataclass(frozen=True)
class StaffMember:
    """A member of staff and what her roles let her do now."""

    account_id: UUID
    name: str
    #: The municipality whose families she works for; None for administrators.
    municipality_id: UUID | None
    roles: frozenset[Role]
    permissions: frozenset[Permission]

    @property
    def home(self) -> UUID:
        """The municipality; only for views of a municipality's families."""
        assert self.municipality_id is not None
        return self.municipality_id


@dataclass(frozen=True)
class HeldRole:
    """One role of one person."""

    id: UUID
    role: Role
    municipality_id: UUID | None
    valid_until: datetime


def roles_of(db: Session, account_id: UUID, *, now: datetime) -> tuple[HeldRole, ...]:
    """Return the roles that hold now."""
    rows = db.scalars(
        select(StaffRole)
        .where(
            StaffRole.account_id == account_id,
            StaffRole.ended_at.is_(None),
            StaffRole.valid_from <= now,
            StaffRole.valid_until > now,
        )
        .order_by(StaffRole.created_at, StaffRole.id)
    )
    return tuple(
        HeldRole(
            id=row.id,
            role=row.role,
            municipality_id=row.municipality_id,
            valid_until=row.valid_until,
        )
        for row in rows
    )


def find_staff_member(db: Session, account_id: UUID, *, now: datetime) -> StaffMember | None:
    """Return what a person may do as staff, or None if no role of hers holds.

    Roles count in her own municipality only. Roles of the provider count without one; who
    holds one acts for the provider and sees no family.
    """
    account = find_usable(db, account_id, now=now)
    if account is None or account.door is not Door.STAFF:
        return None
    roles = frozenset(
        held.role
        for held in roles_of(db, account_id, now=now)
        if _counts(held, account.municipality_id)
    )
    if not roles:
        return None
    return StaffMember(
        account_id=account.id,
        name=account.name,
        municipality_id=account.municipality_id,
        roles=roles,
        permissions=frozenset().union(*(PERMISSIONS[role] for role in roles)),
    )


def _counts(held: HeldRole, home: UUID | None) -> bool:
    if held.role is Role.SYSTEM_ADMIN:
        return held.municipality_id is None
    return home is not None and held.municipality_id == home


class RoleFault(StrEnum):
    """Why a role was not granted."""

    NOT_STAFF = "role_not_staff"
    OTHER_MUNICIPALITY = "role_other_municipality"
    NO_END = "role_no_end"
    ONESELF = "role_oneself"


@dataclass(frozen=True)
class NewRole:
    """A role to grant; administrators have no municipality."""

    account_id: UUID
    role: Role
    valid_until: datetime
    municipality_id: UUID | None = None


def grant_role(db: Session, new: NewRole, *, actor: Actor, now: datetime) -> UUID | RoleFault:
    """Grant a role until a day; the caller may manage roles or has a shell (TN-03).

    Nobody grants a role to herself. A role that holds already gets the new end.
    """
    fault = _fault_of(db, new, actor=actor, now=now)
    if fault is not None:
        return fault
    for held in roles_of(db, new.account_id, now=now):
        if (held.role, held.municipality_id) == (new.role, new.municipality_id):
            end_role(db, held.id, actor=actor, now=now)
    row = StaffRole(
        id=new_id(now=now),
        account_id=new.account_id,
        municipality_id=new.municipality_id,
        role=new.role,
        valid_from=now,
        valid_until=new.valid_until,
        granted_by=actor.account_id,
        created_at=now,
    )
    db.add(row)
    act = Act(
        "role.granted",
        subject_id=new.account_id,
        municipality_id=new.municipality_id,
        detail={"role": new.role.value, "until": new.valid_until.isoformat()},
    )
    record(db, act, actor=actor, now=now)
    return row.id


def _fault_of(db: Session, new: NewRole, *, actor: Actor, now: datetime) -> RoleFault | None:
    account = db.get(Account, new.account_id)
    if account is None or account.door is not Door.STAFF:
        return RoleFault.NOT_STAFF
    if actor.account_id == new.account_id:
        return RoleFault.ONESELF
    wanted_home = None if new.role is Role.SYSTEM_ADMIN else account.municipality_id
    is_homeless = new.role is not Role.SYSTEM_ADMIN and new.municipality_id is None
    if new.municipality_id != wanted_home or is_homeless:
        return RoleFault.OTHER_MUNICIPALITY
    if not now < new.valid_until <= now + LONGEST_ROLE:
        return RoleFault.NO_END
    return None


def end_role(db: Session, role_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """End a role at once; the next request of its holder is refused."""
    still_held = or_(StaffRole.valid_until > now, StaffRole.valid_from > now)
    result = db.execute(
        update(StaffRole)
        .where(StaffRole.id == role_id, StaffRole.ended_at.is_(None), still_held)
        .values(ended_at=now)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        return False
    row = db.get_one(StaffRole, role_id)
    act = Act(
        "role.ended",
        subject_id=row.account_id,
        municipality_id=row.municipality_id,
        detail={"role": row.role.value},
    )
    record(db, act, actor=actor, now=now)
    return True
