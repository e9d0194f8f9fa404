"""Authenticator apps (RFC 6238): enrol one, check its code, refuse a replay."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pyotp import TOTP, random_base32
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.signin import attempts, limits
from idp.domain.signin.code_text import read_code
from idp.model.people import TotpCredential

#: Steps of 30 seconds a clock may be wrong, to either side (RFC 6238 §5.2).
_DRIFT = 1


@dataclass(frozen=True)
class TotpTaken:
    """The try is counted; `judge_totp` evaluates it in the next transaction."""

    account_id: UUID
    tries_left: int
    #: The pause that begins if this try fails.
    paused_until: datetime | None


@dataclass(frozen=True)
class TotpPaused:
    """Too many wrong codes of this person; ends by itself."""

    until: datetime


@dataclass(frozen=True)
class TotpRight:
    """The code is right and cannot be used again."""


@dataclass(frozen=True)
class TotpWrong:
    """Wrong, or used before; the try stays counted."""

    tries_left: int


def enrol_totp(db: Session, account_id: UUID, *, keys: Keyring, now: datetime) -> str:
    """Make a seed for the person's app and return it (base32); it counts once confirmed.

    Enrolling again replaces an app that was never confirmed.
    """
    seed = random_base32()
    row = db.get(TotpCredential, account_id)
    if row is None:
        row = TotpCredential(account_id=account_id, last_timecode=0, created_at=now)
        db.add(row)
    row.sealed_seed = keys.sealer.seal(seed.encode(), context=seed_context(account_id))
    row.confirmed_at = None
    row.last_timecode = 0
    return seed


def confirm_totp(
    db: Session, account_id: UUID, typed: str, *, keys: Keyring, now: datetime
) -> bool:
    """Confirm the app with a code of it; from then on sign-in asks for it."""
    row = db.get(TotpCredential, account_id)
    if row is None:
        return False
    timecode = _timecode_of(row, typed, keys=keys, now=now)
    if timecode is None or not _advance(db, account_id, timecode):
        return False
    row.confirmed_at = now
    return True


def has_totp(db: Session, account_id: UUID) -> bool:
    """Whether the person has a confirmed app."""
    query = select(TotpCredential.confirmed_at).where(TotpCredential.account_id == account_id)
    return db.scalar(query) is not None


def take_totp_try(db: Session, account_id: UUID, *, now: datetime) -> TotpTaken | TotpPaused:
    """Count a try before it is evaluated; the caller commits before it calls `judge_totp`."""
    counters = limits.code_counters(limits.TOTP, account_id)
    outcome = attempts.reserve_all(db, counters, now=now)
    if isinstance(outcome, attempts.Blocked):
        return TotpPaused(until=outcome.until)
    ends = [each.blocked_until for each in outcome if each.blocked_until is not None]
    return TotpTaken(
        account_id=account_id,
        tries_left=min(each.remaining for each in outcome),
        paused_until=max(ends, default=None),
    )


def judge_totp(
    db: Session, taken: TotpTaken, typed: str, *, keys: Keyring, now: datetime
) -> TotpRight | TotpWrong | TotpPaused:
    """Check a code of the app; each time step is accepted once (RFC 6238 §5.2)."""
    row = db.get(TotpCredential, taken.account_id)
    timecode = None
    if row is not None and row.confirmed_at is not None:
        timecode = _timecode_of(row, typed, keys=keys, now=now)
    if timecode is not None and _advance(db, taken.account_id, timecode):
        attempts.forget(db, limits.TOTP, limits.account_subject(taken.account_id))
        return TotpRight()
    if taken.paused_until is not None:
        return TotpPaused(until=taken.paused_until)
    return TotpWrong(tries_left=taken.tries_left)


def _timecode_of(row: TotpCredential, typed: str, *, keys: Keyring, now: datetime) -> int | None:
    digits = read_code(typed) or ""
    seed = keys.sealer.unseal(row.sealed_seed, context=seed_context(row.account_id)).decode()
    try:
        return TOTP(seed).verify_and_get_timecode(digits, for_time=now, valid_window=_DRIFT)
    except OTPVerificationError:
        return None


def _advance(db: Session, account_id: UUID, timecode: int) -> bool:
    # The condition in the UPDATE is the lock: a step that was used is not newer.
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(TotpCredential)
        .where(TotpCredential.account_id == account_id, TotpCredential.last_timecode < timecode)
        .values(last_timecode=timecode)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1


def seed_context(account_id: UUID) -> str:
    """Return what the seed of a person's app is sealed for."""
    return f"totp:{account_id}"
