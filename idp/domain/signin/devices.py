"""Browsers a person has used before: known ones, and ones that may skip the mailed code."""

import functools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.secret import digest, new_token
from idp.db.rows import fetch_one
from idp.model.signin import Device

_device: Any = Device.__table__
_FIND = select(_device.c.id, _device.c.trusted_until).where(
    _device.c.token_digest == bindparam("digest")
)

#: How long the cookie lives: as long as the row, which goes after a year unused.
COOKIE_LIFETIME = timedelta(days=365)


@dataclass(frozen=True)
class KnownDevice:
    """A browser this person has signed in with before."""

    id: UUID
    #: It may skip the mailed code now.
    is_trusted: bool


@dataclass(frozen=True)
class RememberedDevice:
    """The browser's row and the value of its cookie `device`."""

    id: UUID
    token: str
    is_new: bool


@dataclass(frozen=True)
class ListedDevice:
    """A browser as its owner sees it in the list."""

    id: UUID
    label: str
    first_seen_at: datetime
    last_seen_at: datetime
    trusted_until: datetime | None


def find_device(
    db: Session, token: str | None, account_id: UUID, *, now: datetime
) -> KnownDevice | None:
    """Return what is known of this browser for this person."""
    if token is None:
        return None
    row = fetch_one(db, _FIND, {"digest": _digest(token, account_id)})
    if row is None:
        return None
    return KnownDevice(row.id, row.trusted_until is not None and now < row.trusted_until)


def _digest(token: str, account_id: UUID) -> bytes:
    # One cookie serves everyone who uses the browser; nobody's row tells of another's.
    return digest(f"{account_id}:{token}")


def remember_device(
    db: Session,
    token: str | None,
    account_id: UUID,
    label: str,
    *,
    now: datetime,
) -> RememberedDevice:
    """Note that the person signed in with this browser; doing it twice is harmless."""
    token = token or new_token()
    wanted = new_id(now=now)
    row = fetch_one(
        db,
        _remember(db.get_bind().dialect.name),
        {
            "id": wanted,
            "account_id": account_id,
            "token_digest": _digest(token, account_id),
            "label": label,
            "first_seen_at": now,
            "last_seen_at": now,
        },
    )
    assert row is not None
    return RememberedDevice(id=row.id, token=token, is_new=row.id == wanted)


@functools.cache
def _remember(dialect: str) -> Any:  # noqa: ANN401
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(_device)
    coming = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[_device.c.token_digest],
        set_={"last_seen_at": coming.last_seen_at, "label": coming.label},
    ).returning(_device.c.id)


def trust_device(db: Session, device_id: UUID, *, days: int, now: datetime) -> None:
    """Let this browser skip the mailed code for so many days (at most 30)."""
    db.execute(
        update(Device)
        .where(Device.id == device_id)
        .values(trusted_until=now + timedelta(days=min(days, 30)))
        .execution_options(synchronize_session=False)
    )


def distrust_devices(db: Session, account_id: UUID) -> None:
    """Ask for the code everywhere again: after a password change or reset (SE-04)."""
    db.execute(
        update(Device)
        .where(Device.account_id == account_id, Device.trusted_until.is_not(None))
        .values(trusted_until=None)
        .execution_options(synchronize_session=False)
    )


def forget_device(db: Session, account_id: UUID, device_id: UUID) -> None:
    """Forget one of the person's own browsers; another's stays as it is."""
    db.execute(
        delete(Device)
        .where(Device.id == device_id, Device.account_id == account_id)
        .execution_options(synchronize_session=False)
    )


def list_devices(db: Session, account_id: UUID, *, now: datetime) -> tuple[ListedDevice, ...]:
    """Return the person's browsers, the last used first."""
    rows = db.scalars(
        select(Device)
        .where(Device.account_id == account_id)
        .order_by(Device.last_seen_at.desc(), Device.id.desc())
    )
    return tuple(
        ListedDevice(
            id=row.id,
            label=row.label,
            first_seen_at=row.first_seen_at,
            last_seen_at=row.last_seen_at,
            trusted_until=row.trusted_until if (row.trusted_until or now) > now else None,
        )
        for row in rows
    )
