"""A person who is signing in: everything her sign-in depends on, with one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.db.rows import FoundRow, fetch_one
from idp.model.households import Municipality, SecondStep
from idp.model.people import (
    Account,
    AccountStatus,
    CredentialState,
    Door,
    PasswordCredential,
    TotpCredential,
)

#: The table, and what `read_candidate` reads, for statements that look for a person otherwise.
ACCOUNT: Any = Account.__table__
_password: Any = PasswordCredential.__table__
_app: Any = TotpCredential.__table__
_municipality: Any = Municipality.__table__

FACTS = (
    ACCOUNT.c.id,
    ACCOUNT.c.door,
    ACCOUNT.c.status,
    ACCOUNT.c.login_id,
    ACCOUNT.c.municipality_id,
    ACCOUNT.c.email,
    ACCOUNT.c.email_key,
    ACCOUNT.c.email_verified_at,
    ACCOUNT.c.credential_state,
    ACCOUNT.c.access_valid_from,
    ACCOUNT.c.last_sign_in_at,
    ACCOUNT.c.wants_second_step,
    _password.c.hash,
    _password.c.changed_at,
    _app.c.confirmed_at,
    _municipality.c.second_step,
    _municipality.c.trusted_device_days,
)


def with_facts(people: Any) -> Any:  # noqa: ANN401
    """Return the join of people with what belongs to each of them, for `FACTS`."""
    return (
        people.outerjoin(_password, _password.c.account_id == ACCOUNT.c.id)
        .outerjoin(_app, _app.c.account_id == ACCOUNT.c.id)
        .outerjoin(_municipality, _municipality.c.id == ACCOUNT.c.municipality_id)
    )


# FOR NO KEY UPDATE: rows that refer to the account may still be written meanwhile.
_LOCK = select(ACCOUNT.c.id).where(ACCOUNT.c.id == bindparam("account"))
_LOCK = _LOCK.with_for_update(key_share=True)
_FIND = select(*FACTS).select_from(with_facts(ACCOUNT)).where(ACCOUNT.c.id == bindparam("account"))


@dataclass(frozen=True)
class Candidate:
    """Someone who may get something now (`find_usable`), and how she may sign in."""

    id: UUID
    door: Door
    municipality_id: UUID | None
    email: str | None
    email_key: str | None
    #: She has used what was mailed to this address.
    has_proved_mail: bool
    #: Sessions and walks from before this moment are void.
    access_valid_from: datetime
    last_sign_in_at: datetime | None
    #: She asks for the code at every sign-in, where her municipality leaves it to her.
    wants_second_step: bool
    #: Her password, if she has one of her own, and since when there is one.
    hash: str | None
    password_changed_at: datetime | None
    #: She has confirmed an authenticator app.
    has_app: bool
    #: What her municipality asks for; None: she belongs to none.
    second_step: SecondStep | None
    trusted_device_days: int


def lock_person(db: Session, account_id: UUID) -> None:
    """Let whatever signs a person in or changes how she does wait for each other.

    The first lock of its transaction: then nobody waits in a circle. On SQLite they wait
    already: it lets one writing transaction in at a time.
    """
    if db.get_bind().dialect.name != "sqlite":
        fetch_one(db, _LOCK, {"account": account_id})


def find_candidate(db: Session, account_id: UUID, *, now: datetime) -> Candidate | None:
    """Return the person as she stands in this transaction, if she may get anything now."""
    db.flush()  # what this transaction has changed so far counts
    row = fetch_one(db, _FIND, {"account": account_id})
    return None if row is None else read_candidate(row, now=now)


def read_candidate(row: FoundRow, *, now: datetime) -> Candidate | None:
    """Return the person of a row of `FACTS`; the conditions are those of `find_usable`."""
    if row.status is not AccountStatus.ACTIVE or row.login_id is None:
        return None
    if row.access_valid_from > now:
        return None
    has_password = row.credential_state is CredentialState.SET
    return Candidate(
        id=row.id,
        door=row.door,
        municipality_id=row.municipality_id,
        email=row.email,
        email_key=row.email_key,
        has_proved_mail=row.email_verified_at is not None,
        access_valid_from=row.access_valid_from,
        last_sign_in_at=row.last_sign_in_at,
        wants_second_step=row.wants_second_step,
        hash=row.hash if has_password else None,
        password_changed_at=row.changed_at,
        has_app=row.confirmed_at is not None,
        second_step=row.second_step,
        trusted_device_days=row.trusted_device_days or 0,
    )
