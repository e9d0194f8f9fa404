"""The end of an authentication: the session, the device, the record of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.people.households import memberships_of
from idp.domain.signin.devices import RememberedDevice, remember_device, trust_device
from idp.domain.signin.interactions import DeviceUse, record_session
from idp.domain.signin.policy import StepKind, acr_of, trust_days
from idp.domain.signin.sessions import (
    NewSession,
    StartedSession,
    end_session,
    raise_session,
    renew_session,
    start_session,
)
from idp.domain.signin.setup import Setup
from idp.domain.signin.visitors import Visitor
from idp.domain.upkeep.audit import Act, Actor, record
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.people import Account, Door
from idp.model.signin import SessionEnd


@dataclass(frozen=True)
class Authentication:
    """What the person has just proved in a walk."""

    account_id: UUID
    step: StepKind
    use: DeviceUse = DeviceUse.OWN
    #: Let this browser skip the mailed code from now on.
    trusts_device: bool = False


@dataclass(frozen=True)
class SignedInWhole:
    """The person is signed in; the tokens go into the cookies `session` and `device`."""

    session_id: UUID
    token: str
    #: None on a shared device: nothing stays there.
    device_token: str | None
    #: How long the browser keeps the session's cookie; None = until it is closed.
    cookie_lifetime: timedelta | None = None


def complete_sign_in(
    db: Session,
    walk_id: UUID,
    proved: Authentication,
    visitor: Visitor,
    *,
    setup: Setup,
    now: datetime,
) -> SignedInWhole:
    """Start the session of a person who has proved all that was asked."""
    account = db.get_one(Account, proved.account_id)
    device = None
    if proved.use is not DeviceUse.SHARED:
        device = _remember(db, account, proved, visitor, now=now)
    if account.last_sign_in_at is not None and (device is None or device.is_new):
        _tell_of_new_device(db, account, visitor, keys=setup.keys, now=now)
    wanted = replace(
        _new_session(db, account, proved, visitor, setup=setup, now=now),
        device_id=device.id if device else None,
    )
    started = _start_or_renew(db, wanted, visitor, keys=setup.keys, now=now)
    second_step_at = None if proved.step is StepKind.NONE else now
    record_session(db, walk_id, started.session_id, second_step_at=second_step_at)
    account.last_sign_in_at = now
    _write_audit(db, account, proved, visitor, now=now)
    return SignedInWhole(
        session_id=started.session_id,
        token=started.token,
        device_token=device.token if device else None,
        cookie_lifetime=setup.sessions.kept if wanted.is_kept else None,
    )


def _new_session(
    db: Session,
    account: Account,
    proved: Authentication,
    visitor: Visitor,
    *,
    setup: Setup,
    now: datetime,
) -> NewSession:
    level, methods = acr_of(proved.step)
    return NewSession(
        account_id=account.id,
        door=account.door,
        acr=level,
        amr=methods,
        device_label=visitor.label,
        limits=setup.sessions,
        shared_device=proved.use is DeviceUse.SHARED,
        is_kept=_is_kept(proved, account, setup),
        address=visitor.network,
        household_id=_only_household(db, account.id, now=now),
    )


def _is_kept(proved: Authentication, account: Account, setup: Setup) -> bool:
    is_offered = setup.sessions.kept > timedelta(0) and account.door is Door.FAMILY
    return is_offered and proved.use is DeviceUse.KEPT


def complete_step_up(
    db: Session,
    walk_id: UUID,
    proved: Authentication,
    visitor: Visitor,
    *,
    now: datetime,
) -> SignedInWhole | None:
    """Write a second step into the session that is there; when she signed in stays as it was."""
    person = visitor.person
    if person is None or person.account_id != proved.account_id:
        return None
    level, methods = acr_of(proved.step)
    renewed = raise_session(db, person, level, methods, now=now)
    if renewed is None:
        return None
    record_session(db, walk_id, renewed.session_id, second_step_at=now)
    account = db.get_one(Account, person.account_id)
    _write_audit(db, account, proved, visitor, now=now)
    return SignedInWhole(renewed.session_id, renewed.token, visitor.device_token)


def _remember(
    db: Session, account: Account, proved: Authentication, visitor: Visitor, *, now: datetime
) -> RememberedDevice:
    device = remember_device(db, visitor.device_token, account.id, visitor.label, now=now)
    days = trust_days(db, account)
    if proved.trusts_device and days > 0 and proved.step is StepKind.MAIL:
        trust_device(db, device.id, days=days, now=now)
    return device


def _tell_of_new_device(
    db: Session, account: Account, visitor: Visitor, *, keys: Keyring, now: datetime
) -> None:
    if account.email is None:
        return
    mail = Mail(
        name="new_device",
        account_id=account.id,
        facts={"time": now.isoformat(), "browser": visitor.label},
        municipality_id=account.municipality_id,
    )
    enqueue_mail(db, mail, keys=keys, now=now)


def _only_household(db: Session, account_id: UUID, *, now: datetime) -> UUID | None:
    """Return the household of a person who has exactly one; others choose (ActingFor)."""
    memberships = memberships_of(db, account_id, now=now)
    return memberships[0].household_id if len(memberships) == 1 else None


def _start_or_renew(
    db: Session, wanted: NewSession, visitor: Visitor, *, keys: Keyring, now: datetime
) -> StartedSession:
    before = visitor.person
    if before is not None and before.account_id == wanted.account_id:
        renewed = renew_session(db, before.session_id, wanted, now=now)
        if renewed is not None:
            return renewed
    elif before is not None:
        end_session(db, before.session_id, SessionEnd.REPLACED, keys=keys, now=now)
    return start_session(db, wanted, now=now)


def _write_audit(
    db: Session,
    account: Account,
    proved: Authentication,
    visitor: Visitor,
    *,
    now: datetime,
) -> None:
    actor = Actor(kind="account", account_id=account.id, address=visitor.address)
    act = Act(
        "signin.succeeded",
        subject_id=account.id,
        municipality_id=account.municipality_id,
        detail={"step": proved.step.value, "device": proved.use.value},
    )
    record(db, act, actor=actor, now=now)
