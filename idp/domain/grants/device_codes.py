"""Device authorizations: open one, decide it once, redeem it once (RFC 8628)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, keyed_digest, new_token
from idp.db.rows import change, fetch_one
from idp.db.upsert import insert_into
from idp.domain.grants.standing import (
    Family,
    Void,
    find_void_for_grant,
    read_family,
    select_standing,
    terms_are_new,
)
from idp.domain.grants.token_families import NewFamily, open_family, revoke_family
from idp.model.grants import DeviceAuthorization, TokenFamily
from idp.protocol.user_code import new_user_code

LIFETIME = timedelta(minutes=10)
INTERVAL = timedelta(seconds=5)
#: What a poll that comes too early adds (RFC 8628 §3.5).
SLOWER_BY = timedelta(seconds=5)
#: How often a code is made anew that another device shows just now.
_ATTEMPTS = 5

_family: Any = TokenFamily.__table__
_device: Any = DeviceAuthorization.__table__

_BY_USER_CODE = select(_device).where(
    _device.c.user_code_digest == bindparam("digest"),
    _device.c.decided_at.is_(None),
    _device.c.expires_at > bindparam("now"),
)
_FIND = select(_device).where(_device.c.device_code_digest == bindparam("digest"))
_STANDING = (
    select_standing()
    .add_columns(terms_are_new().label("terms_new"))
    .where(_family.c.id == bindparam("family"))
)
_DECIDE = (
    update(_device)
    .where(
        _device.c.id == bindparam("device"),
        _device.c.decided_at.is_(None),
        _device.c.expires_at > bindparam("at"),
    )
    .values(decided_at=bindparam("at"), family_id=bindparam("family"))
)
_POLL = (
    update(_device)
    .where(_device.c.id == bindparam("device"), _device.c.next_poll_at <= bindparam("at"))
    .values(next_poll_at=bindparam("then"))
)
_SLOW_DOWN = (
    update(_device)
    .where(_device.c.id == bindparam("device"))
    .values(interval_seconds=bindparam("seconds"), next_poll_at=bindparam("then"))
)
_CLAIM = (
    update(_device)
    .where(_device.c.id == bindparam("device"), _device.c.redeemed_at.is_(None))
    .values(redeemed_at=bindparam("at"))
)


@dataclass(frozen=True)
class OpenedDevice:
    """The two codes of a device; only their digests are kept."""

    device_code: str
    user_code: str


@dataclass(frozen=True)
class WaitingDevice:
    """A device that waits for a person."""

    id: UUID
    client_id: str
    scope: str


class DeviceRefusal(StrEnum):
    """Why a device gets nothing (yet). For the log; the client hears the codes of RFC 8628."""

    UNKNOWN = "device_unknown"
    REUSED = "device_reused"
    EXPIRED = "device_expired"
    DENIED = "device_denied"
    PENDING = "device_pending"
    TOO_FAST = "device_too_fast"


def open_device(
    db: Session, client_id: str, scope: str, *, keys: Keyring, now: datetime
) -> OpenedDevice:
    """Write that a device waits, and return its codes; no two live ones are the same."""
    device_code = new_token()
    values = {
        "device_code_digest": digest(device_code),
        "client_id": client_id,
        "scope": scope,
        "interval_seconds": int(INTERVAL.total_seconds()),
        "next_poll_at": now,
        "created_at": now,
        "expires_at": now + LIFETIME,
    }
    for user_code in (new_user_code() for _ in range(_ATTEMPTS)):
        if _insert(db, values | {"user_code_digest": _digest(user_code, keys)}, now=now):
            return OpenedDevice(device_code, user_code)
    raise RuntimeError("no user code is free")


def _insert(db: Session, values: Mapping[str, object], *, now: datetime) -> bool:
    """Write the row, unless another device shows the same code: the constraint decides."""
    new = (
        insert_into(db, DeviceAuthorization)
        .on_conflict_do_nothing(index_elements=[DeviceAuthorization.user_code_digest])
        .returning(DeviceAuthorization.id)
    )
    return fetch_one(db, new, {"id": new_id(now=now), **values}) is not None


def _digest(user_code: str, keys: Keyring) -> bytes:
    return keyed_digest(keys.code_key, f"device:{user_code}")


def find_waiting_device(
    db: Session, user_code: str, *, keys: Keyring, now: datetime
) -> WaitingDevice | None:
    """Return the device that shows this code and has not been decided about."""
    row = fetch_one(db, _BY_USER_CODE, {"digest": _digest(user_code, keys), "now": now})
    return None if row is None else WaitingDevice(row.id, row.client_id, row.scope)


def allow_device(db: Session, device_id: UUID, new: NewFamily, *, now: datetime) -> bool:
    """Let a device have what the person allowed; False when somebody decided before.

    The family is written first, since the row refers to it; of two that decide at once the
    loser's is ended at once, and nobody ever holds a token of it.
    """
    family_id = open_family(db, new, now=now)
    if change(db, _DECIDE, {"device": device_id, "family": family_id, "at": now}) == 1:
        return True
    revoke_family(db, family_id, "device_decided_before", now=now)
    return False


def deny_device(db: Session, device_id: UUID, *, now: datetime) -> bool:
    """Let a device have nothing; False when somebody decided before."""
    return change(db, _DECIDE, {"device": device_id, "family": None, "at": now}) == 1


def redeem_device(
    db: Session, device_code: str, client_id: str, *, now: datetime
) -> Family | DeviceRefusal | Void:
    """Return what the person allowed, once; or why the device has to wait or to give up.

    As with codes, a refusal may have written: a second use ends the family.
    """
    row = fetch_one(db, _FIND, {"digest": digest(device_code)})
    if row is None or row.client_id != client_id:
        return DeviceRefusal.UNKNOWN
    if row.redeemed_at is not None:
        return _report_reuse(db, row.family_id, now=now)
    if row.expires_at <= now:
        return DeviceRefusal.EXPIRED
    if row.decided_at is None:
        return _wait(db, row, now=now)
    if row.family_id is None:
        return DeviceRefusal.DENIED
    standing = fetch_one(db, _STANDING, {"family": row.family_id, "now": now})
    assert standing is not None  # the device goes with its family
    void = find_void_for_grant(standing, now=now)
    if void is not None:
        return void
    # The condition in the UPDATE is the lock: of many polls at once one gets tokens.
    if change(db, _CLAIM, {"device": row.id, "at": now}) != 1:
        return _report_reuse(db, row.family_id, now=now)
    return read_family(standing)


def _report_reuse(db: Session, family_id: UUID, *, now: datetime) -> DeviceRefusal:
    revoke_family(db, family_id, DeviceRefusal.REUSED, now=now)
    return DeviceRefusal.REUSED


def _wait(db: Session, row: Any, *, now: datetime) -> DeviceRefusal:  # noqa: ANN401
    """Take the poll; one that comes too early makes every later interval longer (§3.5)."""
    interval = timedelta(seconds=row.interval_seconds)
    if change(db, _POLL, {"device": row.id, "at": now, "then": now + interval}) == 1:
        return DeviceRefusal.PENDING
    longer = interval + SLOWER_BY
    seconds = int(longer.total_seconds())
    change(db, _SLOW_DOWN, {"device": row.id, "seconds": seconds, "then": now + longer})
    return DeviceRefusal.TOO_FAST
