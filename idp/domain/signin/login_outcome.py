"""What becomes of a verified password: half or whole sign-in, or a counted failure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from idp.db.rows import change
from idp.domain.signin import attempts, limits
from idp.domain.signin.candidates import Candidate, find_candidate, lock_person
from idp.domain.signin.code_mails import send_code
from idp.domain.signin.completion import Authentication, SignedInWhole, complete_sign_in
from idp.domain.signin.devices import find_device
from idp.domain.signin.interactions import DeviceUse, Walk, record_password
from idp.domain.signin.login import Locked, Prepared, Verified, lock_minutes
from idp.domain.signin.policy import StepKind, choose_second_step
from idp.domain.signin.setup import Setup
from idp.domain.signin.visitors import Visitor
from idp.domain.signin.wishes import wanted_acr
from idp.domain.upkeep.audit import Act, record
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.people import Account, PasswordCredential

_password: Any = PasswordCredential.__table__
_STORE_HASH = (
    update(_password)
    .where(_password.c.account_id == bindparam("account"))
    .values(hash=bindparam("new_hash"))
)

#: From so few tries left on, the page says how many.
_WARN_FROM = 3


@dataclass(frozen=True)
class SignedInHalf:
    """The password was right; the walk waits for the second step (SE-06)."""

    step: StepKind


@dataclass(frozen=True)
class WrongCredentials:
    """Id or password wrong, or nobody who may come in here: never said which (EN-01)."""

    #: Tries until the lock; None while there are plenty.
    remaining: int | None
    minutes: int
    #: Locked twice within a day: the page leads with a new password (B39).
    lead_with_reset: bool


@dataclass(frozen=True)
class WalkEnded:
    """The walk was answered or ended in another tab: start again."""


LoginOutcome = SignedInHalf | SignedInWhole | WrongCredentials | Locked | WalkEnded


def record_login(
    db: Session,
    verified: Verified,
    walk: Walk,
    visitor: Visitor,
    *,
    setup: Setup,
    now: datetime,
) -> LoginOutcome:
    """Write what came of a try, and mail the code if one is needed.

    A failure was counted before; it is returned, so that the caller commits either way.
    """
    prepared = verified.prepared
    use = prepared.typed.use
    candidate = _who_may_come_in(db, verified, now=now)
    if candidate is None:
        return _record_failure(db, prepared, visitor, setup=setup, now=now)
    device = None
    if use is not DeviceUse.SHARED:
        device = find_device(db, visitor.device_token, candidate.id, now=now)
    step = choose_second_step(candidate, wanted_acr=wanted_acr(walk.request), device=device)
    if step is StepKind.IMPOSSIBLE:
        return _record_failure(db, prepared, visitor, setup=setup, now=now)
    attempts.forget(db, limits.PASSWORD, prepared.lock.subject)
    if verified.new_hash is not None:
        change(db, _STORE_HASH, {"account": candidate.id, "new_hash": verified.new_hash})
    if not record_password(db, walk.id, candidate.id, use=use, now=now):
        return WalkEnded()
    if step is StepKind.NONE:
        proved = Authentication(candidate, step, use)
        return complete_sign_in(db, walk.id, proved, visitor, setup=setup, now=now)
    if step is StepKind.MAIL:
        # Whether the mail limit lets it out is the code page's business.
        send_code(db, walk.id, candidate, rules=setup.codes, keys=setup.keys, now=now)
    return SignedInHalf(step=step)


def _who_may_come_in(db: Session, verified: Verified, *, now: datetime) -> Candidate | None:
    """Return the person if the password was right and she may still come in after hashing."""
    account_id = verified.prepared.account_id
    if not verified.is_right or account_id is None:
        return None
    lock_person(db, account_id)  # a new password comes before this sign-in or ends what it opens
    candidate = find_candidate(db, account_id, now=now)
    if candidate is None or candidate.hash != verified.prepared.hash:
        return None  # the password was changed while the old one was being hashed
    return candidate


def _record_failure(
    db: Session, prepared: Prepared, visitor: Visitor, *, setup: Setup, now: datetime
) -> WrongCredentials | Locked:
    if not prepared.is_known_device:
        for counter in limits.spray_counters(visitor.network):
            attempts.reserve(db, counter, now=now)
        attempts.reserve(db, limits.distributed_counter(prepared.who), now=now)
    _audit_failure(db, prepared, "signin.failed", visitor, now=now)
    counted = prepared.counted
    if counted.blocked_until is not None:
        _audit_failure(db, prepared, "signin.locked", visitor, now=now)
        _tell_of_lock(db, prepared, counted.blocked_until, setup=setup, now=now)
        return Locked(until=counted.blocked_until, lead_with_reset=counted.block_count > 1)
    is_near = counted.remaining <= _WARN_FROM
    return WrongCredentials(
        remaining=counted.remaining if is_near else None,
        minutes=lock_minutes(prepared),
        lead_with_reset=counted.block_count > 1,
    )


def _audit_failure(
    db: Session, prepared: Prepared, name: str, visitor: Visitor, *, now: datetime
) -> None:
    act = Act(name, subject_id=prepared.subject_id, municipality_id=prepared.typed.municipality_id)
    record(db, act, actor=visitor.actor, now=now)


def _tell_of_lock(
    db: Session, prepared: Prepared, until: datetime, *, setup: Setup, now: datetime
) -> None:
    """Mail the person once a day, however often and from wherever it happens (RL-01)."""
    account = db.get(Account, prepared.account_id) if prepared.account_id else None
    if account is None or account.email is None:
        return
    notice = attempts.Counter(
        f"{limits.MAIL}:locked", limits.account_subject(account.id), limits.LOCK_NOTICE
    )
    if isinstance(attempts.reserve(db, notice, now=now), attempts.Blocked):
        return
    mail = Mail(
        name="locked",
        account_id=account.id,
        facts={"until": until.isoformat()},
        municipality_id=account.municipality_id,
    )
    enqueue_mail(db, mail, keys=setup.keys, now=now)
