"""Enrolling staff: an account of the staff door with password, app and role, by whoever may."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.contact import mail_key
from idp.base.keyring import Keyring
from idp.domain.people.accounts import NewAccount, activate, create_account, issue
from idp.domain.people.names import PersonName
from idp.domain.signin.passwords import set_password
from idp.domain.signin.totp import enrol_totp
from idp.domain.staff.roles import NewRole, RoleFault, grant_role
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.people import Account, AccountStatus, Door
from idp.model.staff import Role


@dataclass(frozen=True)
class NewStaff:
    """A person who will sign in at the staff door."""

    name: PersonName
    email: str
    role: Role
    valid_until: datetime
    #: Administrators have none.
    municipality_id: UUID | None


@dataclass(frozen=True)
class EnrolledStaff:
    """The account and, this once, the seed of her app (base32)."""

    account_id: UUID
    login_id: str
    totp_seed: str


@dataclass(frozen=True)
class AlreadyStaff:
    """Somebody of the staff has this address."""

    account_id: UUID


def enrol_staff(
    db: Session, new: NewStaff, hashed: str, *, keys: Keyring, actor: Actor, now: datetime
) -> EnrolledStaff | AlreadyStaff | RoleFault:
    """Write account, password, app and role; the app counts once a code of it was confirmed.

    There is no default account (PW-09): the first administrator is made like this, with a
    shell on the server.
    """
    known = db.scalar(
        select(Account.id).where(
            Account.door == Door.STAFF,
            Account.email_key == mail_key(new.email),
            Account.status != AccountStatus.CLOSED,
        )
    )
    if known is not None:
        return AlreadyStaff(known)
    account_id = create_account(
        db,
        NewAccount(
            door=Door.STAFF,
            municipality_id=new.municipality_id,
            name=new.name,
            email=new.email,
        ),
        now=now,
    )
    issue(db, account_id, now=now)
    set_password(db, account_id, hashed, now=now)
    activate(db, account_id, now=now)
    role = NewRole(account_id, new.role, new.valid_until, new.municipality_id)
    granted = grant_role(db, role, actor=actor, now=now)
    if isinstance(granted, RoleFault):
        return granted
    act = Act("staff.enrolled", subject_id=account_id, municipality_id=new.municipality_id)
    record(db, act, actor=actor, now=now)
    seed = enrol_totp(db, account_id, keys=keys, now=now)
    login_id = db.scalar(select(Account.login_id).where(Account.id == account_id))
    return EnrolledStaff(account_id, login_id or "", seed)
