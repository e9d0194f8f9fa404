"""Accounts: create one, tell whether it may get anything now, and move it between states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.contact import mail_key
from idp.base.ids import new_id
from idp.base.secret import new_digits
from idp.base.text import login_key
from idp.domain.people.names import PersonName, full_name
from idp.model.people import Account, AccountStatus, CredentialState, Door, IntakeRoute

#: Digits of a sign-in ID made for someone whose address is another person's sign-in ID.
LOGIN_NUMBER_DIGITS = 8
_LOGIN_NUMBER_TRIES = 5


@dataclass(frozen=True)
class UsableAccount:
    """An account that may get something now: active, neither suspended nor closed."""

    id: UUID
    door: Door
    municipality_id: UUID | None
    login_id: str
    name: str
    locale: str
    email: str | None
    credential_state: CredentialState
    #: Tokens and sessions from before this moment are void.
    access_valid_from: datetime


def find_usable(db: Session, account_id: UUID, *, now: datetime) -> UsableAccount | None:
    """Return the account if it may get anything now.

    Asked at every grant, refresh, UserInfo, introspection and page. An expired or running
    lock is no reason: it stops sign-in only.
    """
    account = db.get(Account, account_id)
    if account is None or account.status is not AccountStatus.ACTIVE:
        return None
    if account.access_valid_from > now or account.login_id is None:
        return None
    return UsableAccount(
        id=account.id,
        door=account.door,
        municipality_id=account.municipality_id,
        login_id=account.login_id,
        name=full_name(account.family_name, account.given_name),
        locale=account.locale,
        email=account.email,
        credential_state=account.credential_state,
        access_valid_from=account.access_valid_from,
    )


@dataclass(frozen=True)
class NewAccount:
    """A person who is about to get an account; texts are parsed already."""

    door: Door
    municipality_id: UUID | None
    name: PersonName
    #: As it is written on an envelope; missing = no sign-in until there is one (A39).
    email: str | None = None
    phone_number: str | None = None
    locale: str = "ja"
    intake_route: IntakeRoute = IntakeRoute.STAFF
    external_key: str | None = None


def create_account(db: Session, new: NewAccount, *, now: datetime) -> UUID:
    """Write a draft: nobody can sign in with it before it is issued.

    The sign-in ID is the address; whoever shares a mailbox with an earlier person gets a
    number instead (two people, one mailbox). The unique index decides, not a look before.
    """
    account = Account(
        id=new_id(now=now),
        door=new.door,
        municipality_id=new.municipality_id,
        status=AccountStatus.DRAFT,
        email=new.email,
        email_key=mail_key(new.email) if new.email else None,
        phone_number=new.phone_number,
        locale=new.locale,
        intake_route=new.intake_route,
        external_key=new.external_key,
        access_valid_from=now,
        created_at=now,
        updated_at=now,
    )
    _write_name(account, new.name)
    db.add(account)
    db.flush()  # a second row with this external key fails here
    if new.email:
        assign_login_id(db, account.id, new.email, now=now)
    return account.id


def _write_name(account: Account, name: PersonName) -> None:
    account.family_name = name.family_name
    account.given_name = name.given_name
    account.family_name_kana = name.family_name_kana
    account.given_name_kana = name.given_name_kana
    account.search_key = name.search_key


def assign_login_id(db: Session, account_id: UUID, email: str, *, now: datetime) -> str:
    """Give the account the address as its sign-in ID, or a number where that is taken.

    Raises:
        IntegrityError: five random numbers were taken as well.
    """
    wanted = login_key(email)
    for _ in range(_LOGIN_NUMBER_TRIES):
        if _try_login_id(db, account_id, wanted, now=now):
            break
        wanted = new_digits(LOGIN_NUMBER_DIGITS)
    else:
        db.execute(update(Account).where(Account.id == account_id).values(login_id=wanted))
    _forget_loaded(db, account_id)
    return wanted


def _try_login_id(db: Session, account_id: UUID, login_id: str, *, now: datetime) -> bool:
    try:
        with db.begin_nested():
            db.execute(
                update(Account)
                .where(Account.id == account_id)
                .values(login_id=login_id, updated_at=now)
            )
    except IntegrityError:
        return False
    return True


def issue(db: Session, account_id: UUID, *, now: datetime) -> bool:
    """Turn a draft into an issued account; tell whether this call did it."""
    return _move(
        db, account_id, (AccountStatus.DRAFT,), {"status": AccountStatus.ISSUED, "issued_at": now}
    )


def activate(db: Session, account_id: UUID, *, now: datetime) -> bool:
    """Turn an issued account into an active one at its first password (A07).

    The mailed link or code proved the mailbox, so the address is verified now.
    """
    changes = {"status": AccountStatus.ACTIVE, "activated_at": now, "email_verified_at": now}
    return _move(db, account_id, (AccountStatus.ISSUED,), changes | {"updated_at": now})


def suspend(db: Session, account_id: UUID, *, now: datetime) -> bool:
    """Stop everything at once: `find_usable` refuses from the next request on.

    Whoever calls this ends the sessions too (idp.domain.access.suspension).
    """
    changes = {
        "status": AccountStatus.SUSPENDED,
        "suspended_at": now,
        "access_valid_from": now,
        "updated_at": now,
    }
    return _move(db, account_id, (AccountStatus.ISSUED, AccountStatus.ACTIVE), changes)


def resume(db: Session, account_id: UUID, *, now: datetime) -> bool:
    """End a suspension: the account is again what it was, without its old sessions."""
    account = db.get(Account, account_id)
    if account is None or account.status is not AccountStatus.SUSPENDED:
        return False
    started = account.activated_at is not None
    status = AccountStatus.ACTIVE if started else AccountStatus.ISSUED
    changes = {"status": status, "suspended_at": None, "updated_at": now}
    return _move(db, account_id, (AccountStatus.SUSPENDED,), changes)


def close(db: Session, account_id: UUID, *, now: datetime) -> bool:
    """Close for good: the row stays, the address and the sign-in ID are free again.

    `sub` is derived from the id, which is never reused (PX-08).
    """
    changes = {
        "status": AccountStatus.CLOSED,
        "closed_at": now,
        "access_valid_from": now,
        "login_id": None,
        "external_key": None,
        "updated_at": now,
    }
    open_states = tuple(state for state in AccountStatus if state is not AccountStatus.CLOSED)
    return _move(db, account_id, open_states, changes)


def change_address(db: Session, account_id: UUID, email: str, *, now: datetime) -> bool:
    """Write another address; it counts as unverified, and the sign-in ID follows it.

    Tokens and sessions from before are void. Whoever calls this voids the mailed secrets
    and ends the sessions (idp.domain.access.addresses). Changes nothing for the same address.
    """
    account = db.get(Account, account_id)
    if account is None or account.status is AccountStatus.CLOSED or account.email == email:
        return False
    changes = {
        "email": email,
        "email_key": mail_key(email),
        "email_verified_at": None,
        "activation_stopped_at": None,
        "access_valid_from": now,
        "updated_at": now,
    }
    moved = _move(db, account_id, (account.status,), changes)
    if moved:
        assign_login_id(db, account_id, email, now=now)
    return moved


def verify_address(db: Session, account_id: UUID, *, now: datetime) -> None:
    """Note that something mailed to a person's address came back from her (B09)."""
    db.execute(
        update(Account)
        .where(Account.id == account_id, Account.email_verified_at.is_(None))
        .values(email_verified_at=now)
    )


def rename(db: Session, account_id: UUID, name: PersonName, *, now: datetime) -> None:
    """Write another name, as typed, with its search key."""
    account = db.get_one(Account, account_id)
    _write_name(account, name)
    account.updated_at = now


def find_same_person(
    db: Session, municipality_id: UUID, *, email: str, name: PersonName
) -> UUID | None:
    """Return the open family account of this municipality with this address and this name.

    One mailbox may belong to two people; the same name at the same address is one person.
    """
    return db.scalar(
        select(Account.id).where(
            Account.municipality_id == municipality_id,
            Account.door == Door.FAMILY,
            Account.email_key == mail_key(email),
            Account.family_name == name.family_name,
            Account.given_name == name.given_name,
            Account.status != AccountStatus.CLOSED,
        )
    )


def _move(
    db: Session,
    account_id: UUID,
    come_from: tuple[AccountStatus, ...],
    changes: Mapping[str, object],
) -> bool:
    """Change the account if it stands where it must; of two at once one wins."""
    result = db.execute(
        update(Account)
        .where(Account.id == account_id, Account.status.in_(come_from))
        .values(dict(changes))
    )
    assert isinstance(result, CursorResult)
    _forget_loaded(db, account_id)
    return result.rowcount == 1


def _forget_loaded(db: Session, account_id: UUID) -> None:
    """Make the session read the row again: it may hold the object from before the UPDATE.

    The ORM follows an UPDATE only in attributes it has loaded; one that was never set on a
    new object would stay empty.
    """
    account = db.get(Account, account_id)
    if account is not None:
        db.expire(account)
