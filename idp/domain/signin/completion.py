"""The end of an authentication: the session, the device, the record of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.db.rows import change
from idp.domain.people.acting import find_only_household
from idp.domain.signin.candidates import ACCOUNT, Candidate
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
from idp.model.people import Door
from idp.model.signin import SessionEnd

_NOTE_SIGN_IN = (
    update(ACCOUNT)
    .where(ACCOUNT.c.id == bindparam("account"))
    .values(last_sign_in_at=bindparam("at"))
)


@dataclass(frozen=True)
class Authentication:
    """What the person has just proved in a walk."""

    person: Candidate
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
    person, device = proved.person, None
    if proved.use is not DeviceUse.SHARED:
        device = _remember(db, proved, visitor, now=now)
    if person.last_sign_in_at is not None and (device is None or device.is_new):
        _tell_of_new_device(db, person, visitor, keys=setup.keys, now=now)
    wanted = replace(
        _new_session(db, proved, visitor, setup=setup, now=now),
        device_id=device.id if device else None,
    )
    started = _start_or_renew(db, wanted, visitor, keys=setup.keys, now=now)
    second_step_at = None if proved.step is StepKind.NONE else now
    record_session(db, walk_id, started.session_id, second_step_at=second_step_at)
    change(db, _NOTE_SIGN_IN, {"account": person.id, "at": now})
    _write_audit(db, proved, visitor, now=now)
    return SignedInWhole(
        session_id=started.session_id,
        token=started.token,
        device_token=device.token if device else None,
        cookie_lifetime=setup.sessions.kept if wanted.is_kept else None,
    )


def _new_session(
    db: Session, proved: Authentication, visitor: Visitor, *, setup: Setup, now: datetime
) -> NewSession:
    person = proved.person
    level, methods = acr_of(proved.step)
    return NewSession(
        account_id=person.id,
        door=person.door,
        acr=level,
        amr=methods,
        device_label=visitor.label,
        limits=setup.sessions,
        shared_device=proved.use is DeviceUse.SHARED,
        is_kept=_is_kept(proved, setup),
        address=visitor.network,
        household_id=find_only_household(db, person.id, now=now),
    )


def _is_kept(proved: Authentication, setup: Setup) -> bool:
    is_offered = setup.sessions.kept > timedelta(0) and proved.person.door is Door.FAMILY
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
    if person is None or person.account_id != proved.person.id:
        return None
    level, methods = acr_of(proved.step)
    renewed = raise_session(db, person, level, methods, now=now)
    if renewed is None:
        return None
    record_session(db, walk_id, renewed.session_id, second_step_at=now)
    _write_audit(db, proved, visitor, now=now)
    return SignedInWhole(renewed.session_id, renewed.token, visitor.device_token)


def _remember(
    db: Session, proved: Authentication, visitor: Visitor, *, now: datetime
) -> RememberedDevice:
    device = remember_device(db, visitor.device_token, proved.person.id, visitor.label, now=now)
    days = trust_days(proved.person)
    if proved.trusts_device and days > 0 and proved.step is StepKind.MAIL:
        trust_device(db, device.id, days=days, now=now)
    return device


def _tell_of_new_device(
    db: Session, account: Candidate, visitor: Visitor, *, keys: Keyring, now: datetime
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


def _write_audit(db: Session, proved: Authentication, visitor: Visitor, *, now: datetime) -> None:
    person = proved.person
    actor = Actor(kind="account", account_id=person.id, address=visitor.address)
    act = Act(
        "signin.succeeded",
        subject_id=person.id,
        municipality_id=person.municipality_id,
        detail={"step": proved.step.value, "device": proved.use.value},
    )
    record(db, act, actor=actor, now=now)
