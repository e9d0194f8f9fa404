"""Whose sign-in ID this is, and whether that person may come in by this door."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.contact import mail_key
from idp.base.text import login_key
from idp.domain.people.accounts import find_usable
from idp.model.people import Account, AccountStatus, CredentialState, Door, PasswordCredential


def find_by_login_id(db: Session, typed: str, *, door: Door) -> UUID | None:
    """Return whose id this is: the sign-in ID, or an address that only one person has (B14).

    Full-width letters, case and spaces do not matter (A20, B15). The door and the state of
    the account do not matter here: counting is per person whatever becomes of the try.
    """
    key = login_key(typed)
    if not key:
        return None
    found = db.scalar(select(Account.id).where(Account.login_id == key))
    if found is not None:
        return found
    same_address = db.scalars(
        select(Account.id)
        .where(
            Account.email_key == mail_key(typed),
            Account.door == door,
            Account.status != AccountStatus.CLOSED,
        )
        .limit(2)
    ).all()
    # Two people, one mailbox: the address does not tell them apart (D15).
    return same_address[0] if len(same_address) == 1 else None


def find_hash(
    db: Session, account_id: UUID | None, *, door: Door, now: datetime
) -> tuple[UUID, str] | tuple[None, None]:
    """Return the person and her stored hash, if she may sign in here with a password.

    Suspended, closed, not yet activated, without a password, or of the other door: as if
    nobody had this id (EN-01, A08).
    """
    usable = find_usable(db, account_id, now=now) if account_id else None
    if usable is None or usable.door is not door:
        return None, None
    if usable.credential_state is not CredentialState.SET:
        return None, None
    query = select(PasswordCredential.hash).where(PasswordCredential.account_id == usable.id)
    stored = db.scalar(query)
    return (usable.id, stored) if stored is not None else (None, None)
