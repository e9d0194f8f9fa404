"""Protection flags (D3): set by one member of staff, lifted by two."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.people import Account, ProtectionFlag


@dataclass(frozen=True)
class Protection:
    """A flag that holds, for staff only: in no claim, page, mail or log of anyone else."""

    id: UUID
    reason: str
    set_at: datetime
    lift_asked_by: UUID | None
    lift_asked_at: datetime | None


class Lift(StrEnum):
    """What asking to lift a flag came to."""

    #: Recorded: a second member of staff must ask as well.
    WAITS = "waits_for_second"
    LIFTED = "lifted"
    #: The same person asked twice.
    SAME_PERSON = "same_person"
    NOT_SET = "not_set"


def find_protection(db: Session, account_id: UUID) -> Protection | None:
    """Return the flag of a person, if it holds."""
    flag = _standing_flag(db, account_id)
    if flag is None:
        return None
    return Protection(
        id=flag.id,
        reason=flag.reason,
        set_at=flag.set_at,
        lift_asked_by=flag.lift_asked_by,
        lift_asked_at=flag.lift_asked_at,
    )


def protected_among(db: Session, account_ids: frozenset[UUID]) -> frozenset[UUID]:
    """Return those of these people whose flag holds."""
    return frozenset(
        db.scalars(
            select(ProtectionFlag.account_id).where(
                ProtectionFlag.account_id.in_(account_ids), ProtectionFlag.lifted_at.is_(None)
            )
        )
    )


def set_protection(
    db: Session, account_id: UUID, reason: str, *, actor: Actor, now: datetime
) -> bool:
    """Protect a person; tell whether this call did it. A flag that holds stays as it is.

    The audit row names the act and the person, never the reason.
    """
    assert actor.account_id is not None  # only staff reach this
    # The row is locked first, so that two at once do not both find no flag.
    db.execute(
        update(Account).where(Account.id == account_id).values(updated_at=Account.updated_at)
    )
    if _standing_flag(db, account_id) is not None:
        return False
    db.add(
        ProtectionFlag(
            id=new_id(now=now),
            account_id=account_id,
            reason=reason,
            set_by=actor.account_id,
            set_at=now,
        )
    )
    _record(db, "protection.set", account_id, actor=actor, now=now)
    return True


def ask_to_lift(db: Session, account_id: UUID, *, actor: Actor, now: datetime) -> Lift:
    """Record that a member of staff wants the flag lifted; the second one lifts it."""
    flag = _standing_flag(db, account_id)
    if flag is None:
        return Lift.NOT_SET
    if flag.lift_asked_by == actor.account_id:
        return Lift.SAME_PERSON
    if flag.lift_asked_by is None:
        return _ask_first(db, flag.id, account_id, actor=actor, now=now)
    return _lift(db, flag.id, account_id, actor=actor, now=now)


def _ask_first(
    db: Session, flag_id: UUID, account_id: UUID, *, actor: Actor, now: datetime
) -> Lift:
    won = _change(
        db,
        flag_id,
        ProtectionFlag.lift_asked_by.is_(None),
        {"lift_asked_by": actor.account_id, "lift_asked_at": now},
    )
    if not won:
        return _lift(db, flag_id, account_id, actor=actor, now=now)
    _record(db, "protection.lift_asked", account_id, actor=actor, now=now)
    return Lift.WAITS


def _lift(db: Session, flag_id: UUID, account_id: UUID, *, actor: Actor, now: datetime) -> Lift:
    """Lift if someone else asked before; the condition is the four-eyes rule itself."""
    asked_by_another = ProtectionFlag.lift_asked_by != actor.account_id
    if not _change(
        db, flag_id, asked_by_another, {"lifted_by": actor.account_id, "lifted_at": now}
    ):
        return Lift.SAME_PERSON
    _record(db, "protection.lifted", account_id, actor=actor, now=now)
    return Lift.LIFTED


def keep_protection(db: Session, account_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Refuse a wish to lift: the flag stays and the wish is forgotten."""
    flag = _standing_flag(db, account_id)
    if flag is None or flag.lift_asked_by is None:
        return False
    kept = _change(
        db,
        flag.id,
        ProtectionFlag.lift_asked_by.is_not(None),
        {"lift_asked_by": None, "lift_asked_at": None},
    )
    if kept:
        _record(db, "protection.kept", account_id, actor=actor, now=now)
    return kept


def _standing_flag(db: Session, account_id: UUID) -> ProtectionFlag | None:
    return db.scalars(
        select(ProtectionFlag)
        .where(ProtectionFlag.account_id == account_id, ProtectionFlag.lifted_at.is_(None))
        .order_by(ProtectionFlag.set_at)
        .limit(1)
    ).first()


def _change(
    db: Session, flag_id: UUID, condition: ColumnElement[bool], changes: dict[str, object]
) -> bool:
    result = db.execute(
        update(ProtectionFlag)
        .where(ProtectionFlag.id == flag_id, ProtectionFlag.lifted_at.is_(None), condition)
        .values(changes)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _record(db: Session, name: str, account_id: UUID, *, actor: Actor, now: datetime) -> None:
    municipality_id = db.scalar(select(Account.municipality_id).where(Account.id == account_id))
    act = Act(name, subject_id=account_id, municipality_id=municipality_id)
    record(db, act, actor=actor, now=now)
