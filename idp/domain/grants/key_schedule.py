"""The rotation of signing keys by schedule, so that a client with an old key set never fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.key_rotation import (
    KeyFacts,
    activate_key,
    list_keys,
    publish_key,
    remove_key,
)
from idp.domain.upkeep.audit import SYSTEM
from idp.model.grants import KeyState


@dataclass(frozen=True)
class Schedule:
    """How long a key signs, how long its successor is known before, how long it stays after."""

    #: None: keys change by hand alone.
    rotate_after: timedelta | None
    #: Longer than clients keep our key set (KT-01).
    lead: timedelta
    #: At least as long as what it signed may come back.
    keep: timedelta


class KeyStep(StrEnum):
    """What comes next for a key."""

    #: A successor is made and published.
    SUCCEED = "publish_successor"
    ACTIVATE = "activate"
    REMOVE = "remove"


@dataclass(frozen=True)
class NextStep:
    """What comes next, and not before when."""

    step: KeyStep
    at: datetime


def find_next_step(
    key: KeyFacts, keys: tuple[KeyFacts, ...], schedule: Schedule
) -> NextStep | None:
    """Return what the schedule does with a key; None: nothing by itself."""
    match key.state:
        case KeyState.ACTIVE:
            if schedule.rotate_after is None or _has_successor(key, keys):
                return None
            signs_since = key.activated_at or key.created_at
            return NextStep(KeyStep.SUCCEED, signs_since + schedule.rotate_after - schedule.lead)
        case KeyState.PUBLISHED:
            if schedule.rotate_after is None:
                return None
            return NextStep(KeyStep.ACTIVATE, key.created_at + schedule.lead)
        case KeyState.RETIRED:
            retired_at = key.retired_at or key.created_at
            return NextStep(KeyStep.REMOVE, retired_at + schedule.keep)
        case KeyState.REMOVED:
            return None


def _has_successor(key: KeyFacts, keys: tuple[KeyFacts, ...]) -> bool:
    return any(each.alg == key.alg and each.state is KeyState.PUBLISHED for each in keys)


def advance_keys(
    db: Session, schedule: Schedule, *, keys: Keyring, now: datetime
) -> tuple[str, ...]:
    """Take every key one step further where its time has come; return what was done.

    The worker does it hourly. Late is harmless: no step is left out, so a successor is
    always known for the whole lead before it signs. Of two workers one takes each step.
    """
    known = list_keys(db)
    done = []
    for key in known:
        following = find_next_step(key, known, schedule)
        if following is None or following.at > now:
            continue
        kid = _take(db, key, following.step, schedule, keys=keys, now=now)
        done.extend([f"{following.step} {kid}"] if kid else [])
    return tuple(done)


def _take(
    db: Session, key: KeyFacts, step: KeyStep, schedule: Schedule, *, keys: Keyring, now: datetime
) -> str | None:
    match step:
        case KeyStep.SUCCEED:
            return publish_key(db, key.alg, keys=keys, actor=SYSTEM, now=now)
        case KeyStep.ACTIVATE:
            return activate_key(db, key.alg, published_for=schedule.lead, actor=SYSTEM, now=now)
        case KeyStep.REMOVE:
            removed = remove_key(db, key.kid, keys=keys, actor=SYSTEM, now=now)
            return key.kid if removed else None
