"""One try to sign in with a password: prepare, verify outside any transaction, record.

The three parts keep the limiter before the hash and the hash outside the database: `prepare`
counts the try (and is committed), `verify` hashes, `record` writes what came of it. An id that
nobody has takes the same way (EN-01, EN-02).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.text import login_key, password_form
from idp.domain.signin import attempts, limits
from idp.domain.signin.devices import find_device
from idp.domain.signin.hashing import Hasher
from idp.domain.signin.interactions import DeviceUse
from idp.domain.signin.lookup import find_owner
from idp.domain.signin.passwords import MAX_LENGTH
from idp.domain.signin.setup import Setup
from idp.domain.signin.visitors import Visitor
from idp.model.people import Door

#: A longer id is nobody's.
_LONGEST_LOGIN_ID = 320


@dataclass(frozen=True)
class Typed:
    """What the form brought."""

    door: Door
    login_id: str
    password: str
    #: The municipality whose page it is.
    municipality_id: UUID | None = None
    use: DeviceUse = DeviceUse.OWN


@dataclass(frozen=True)
class Prepared:
    """A counted try. `account_id` and `hash` are set only if the person may come in here."""

    typed: Typed
    #: Whose counters were raised: a person's, or an id's that nobody has.
    who: str
    subject_id: UUID | None
    account_id: UUID | None
    hash: str | None
    lock: attempts.Counter
    counted: attempts.Counted
    is_known_device: bool


@dataclass(frozen=True)
class Locked:
    """Too many wrong passwords for this id from this place; ends by itself."""

    until: datetime
    #: Locked before within a day: the way out is a new password (B39).
    lead_with_reset: bool


@dataclass(frozen=True)
class Paused:
    """Too many wrong passwords from this network, or everywhere at once."""

    until: datetime


@dataclass(frozen=True)
class Verified:
    """The try with its result."""

    prepared: Prepared
    is_right: bool
    #: The hash under today's parameters, if the stored one is under older ones (PW-06).
    new_hash: str | None = None


def prepare_login(
    db: Session, typed: Typed, visitor: Visitor, *, setup: Setup, now: datetime
) -> Prepared | Locked | Paused:
    """Count a try before it is evaluated; the caller commits before it hashes.

    Wrong passwords are counted per person and place: the network, or the browser if she has
    used it before. So a stranger locks himself out, not her (RL-02). Check and count use the
    same canonical id (A20).
    """
    if len(typed.login_id) > _LONGEST_LOGIN_ID:
        typed = replace(typed, login_id="")
    key = login_key(typed.login_id)
    looked_up = find_owner(db, typed.login_id, door=typed.door, page=typed.municipality_id, now=now)
    owner = looked_up.owner
    who = limits.account_subject(owner.id) if owner else limits.login_subject(key, keys=setup.keys)
    device = find_device(db, visitor.device_token, owner.id, now=now) if owner else None
    if device is None:
        blocked = _find_wide_block(db, who, visitor, now=now)
        if blocked is not None:
            return blocked
    place = limits.device_place(device.id) if device else limits.network_place(visitor.network)
    lock = limits.lock_counter(who, place, tries=setup.password_tries, lock=looked_up.lock)
    counted = attempts.reserve(db, lock, now=now)
    if isinstance(counted, attempts.Blocked):
        return Locked(until=counted.until, lead_with_reset=counted.block_count > 1)
    may_come_in = owner is not None and owner.hash is not None
    return Prepared(
        typed=typed,
        who=who,
        subject_id=owner.id if owner else None,
        account_id=owner.id if owner and may_come_in else None,
        hash=owner.hash if owner else None,
        lock=lock,
        counted=counted,
        is_known_device=device is not None,
    )


def _find_wide_block(
    db: Session, who: str, visitor: Visitor, *, now: datetime
) -> Locked | Paused | None:
    spray, whole = limits.spray_counters(visitor.network), limits.distributed_counter(who)
    blocks = attempts.find_blocks(db, (*spray, whole), now=now)
    wide = [blocks[counter].until for counter in spray if counter in blocks]
    if wide:
        return Paused(until=max(wide))
    return Locked(until=blocks[whole].until, lead_with_reset=True) if whole in blocks else None


def verify_login(prepared: Prepared, *, hasher: Hasher) -> Verified:
    """Hash what was typed; runs outside every transaction.

    An unknown id costs as much as a known one (EN-02). What is longer than any password may
    be is wrong for everybody and hashed for nobody (PW-05).
    """
    password = prepared.typed.password
    if len(password_form(password)) > MAX_LENGTH:
        return Verified(prepared, is_right=False)
    if prepared.hash is None:
        hasher.verify_dummy(password)
        return Verified(prepared, is_right=False)
    is_right = hasher.verify(prepared.hash, password)
    is_old = is_right and hasher.is_outdated(prepared.hash)
    return Verified(prepared, is_right, hasher.hash(password) if is_old else None)


def lock_minutes(prepared: Prepared) -> int:
    """Return how long a lock lasts, for the page that warns of it."""
    pause = prepared.lock.limit.pause or timedelta(0)
    return int(pause.total_seconds() // 60)
