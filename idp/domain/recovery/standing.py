"""Where a reset stands in this browser: asked for, opened, ready for the new password."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import digest
from idp.model.households import Municipality
from idp.model.people import Account, AccountStatus, Door
from idp.model.signin import PasswordReset


@dataclass(frozen=True)
class AskedReset:
    """A request whose mail, if the address is known, is on the way."""

    id: UUID
    email: str


@dataclass(frozen=True)
class OpenReset:
    """A reset that a link or a code has opened: whoever holds it may set the password."""

    id: UUID
    account_id: UUID
    municipality_id: UUID | None
    door: Door
    login_id: str
    #: One more fact must be told first (requirements §0.4).
    asks_fact: bool
    #: Too many wrong facts: nothing goes on here.
    is_stopped: bool
    #: It came out of the person's mailbox; one by an upstream identity did not.
    proves_address: bool = True


def find_asked(
    db: Session, browser_token: str | None, *, keys: Keyring, now: datetime
) -> AskedReset | None:
    """Return the request of this browser whose code may be typed here."""
    row = _find(db, browser_token, now=now)
    if row is None or row.opened_at is not None or row.sealed_email is None:
        return None
    email = keys.sealer.unseal(row.sealed_email, context=seal_context(row.id)).decode()
    return AskedReset(id=row.id, email=email)


def find_open(db: Session, browser_token: str | None, *, now: datetime) -> OpenReset | None:
    """Return the reset that was opened in this browser and not finished yet (RS-06)."""
    row = _find(db, browser_token, now=now)
    if row is None or row.opened_at is None or row.account_id is None:
        return None
    account = db.get_one(Account, row.account_id)
    if account.status is AccountStatus.CLOSED or account.login_id is None:
        return None
    asks_fact = _asks_fact(db, account) and row.fact_checked_at is None
    return OpenReset(
        id=row.id,
        account_id=account.id,
        municipality_id=account.municipality_id,
        door=account.door,
        login_id=account.login_id,
        asks_fact=asks_fact,
        is_stopped=asks_fact and account.activation_stopped_at is not None,
        proves_address=not row.by_identity,
    )


def asks_address_twice(db: Session, municipality_id: UUID | None) -> bool:
    """Whether the request page has a second field for the address (A10)."""
    town = db.get(Municipality, municipality_id) if municipality_id else None
    return town is None or town.asks_address_twice


def seal_context(reset_id: UUID) -> str:
    """Return what the sealed address of a request is bound to."""
    return f"reset:{reset_id}"


def _find(db: Session, browser_token: str | None, *, now: datetime) -> PasswordReset | None:
    if browser_token is None:
        return None
    return db.scalar(
        select(PasswordReset).where(
            PasswordReset.browser_digest == digest(browser_token),
            PasswordReset.completed_at.is_(None),
            PasswordReset.expires_at > now,
        )
    )


def _asks_fact(db: Session, account: Account) -> bool:
    """Whether the account has never been active, is a family's, and the municipality asks."""
    if account.activated_at is not None or account.door is not Door.FAMILY:
        return False
    town = db.get(Municipality, account.municipality_id) if account.municipality_id else None
    return town is None or town.asks_activation_fact
