"""Municipalities: enter one under its official code, change its texts and modes."""

import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.domain.people.sites import MunicipalityTexts
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.households import IssuanceMode, Municipality, SecondStep

_CODE = re.compile(r"[0-9]{6}")
_WEIGHTS = (6, 5, 4, 3, 2)
#: product.md "Values": a lock of wrong passwords ends after 5 to 60 minutes.
LOCK_MINUTES = range(5, 61)
TRUSTED_DEVICE_DAYS = range(31)


class MunicipalityFault(StrEnum):
    """Why a municipality was not entered or changed."""

    CODE = "municipality_code"
    CODE_TAKEN = "municipality_code_taken"
    EMPTY = "municipality_empty_text"
    LOCK_MINUTES = "municipality_lock_minutes"
    TRUSTED_DAYS = "municipality_trusted_days"
    UNKNOWN = "municipality_unknown"


@dataclass(frozen=True)
class MunicipalityModes:
    """What a municipality decides about the sign-in of its families (B01)."""

    second_step: SecondStep = SecondStep.ALWAYS
    issuance_mode: IssuanceMode = IssuanceMode.STAFF
    asks_activation_fact: bool = True
    asks_address_twice: bool = True
    shares_children: bool = False
    trusted_device_days: int = 0
    lock_minutes: int = 30


def check_digit(five: str) -> str:
    """Return the check digit of a local government code: weights 6-5-4-3-2, modulus 11.

    A difference of 10 or 11 leaves its last digit.
    """
    total = sum(int(digit) * weight for digit, weight in zip(five, _WEIGHTS, strict=True))
    return str((11 - total % 11) % 10)


def is_municipality_code(text: str) -> bool:
    """Whether the text is six digits with the right check digit."""
    return _CODE.fullmatch(text) is not None and check_digit(text[:5]) == text[5]


def create_municipality(
    db: Session,
    code: str,
    texts: MunicipalityTexts,
    modes: MunicipalityModes,
    *,
    actor: Actor,
    now: datetime,
) -> UUID | MunicipalityFault:
    """Enter a municipality under its 全国地方公共団体コード."""
    if not is_municipality_code(code):
        return MunicipalityFault.CODE
    fault = _fault_of(texts, modes)
    if fault is not None:
        return fault
    if find_municipality(db, code) is not None:
        return MunicipalityFault.CODE_TAKEN
    row = Municipality(
        id=new_id(now=now),
        code=code,
        created_at=now,
        updated_at=now,
        **asdict(texts),
        **asdict(modes),
    )
    db.add(row)
    db.flush()  # of two at once the unique code lets one through
    act = Act("municipality.created", subject_id=row.id, municipality_id=row.id)
    record(db, act, actor=actor, now=now)
    return row.id


def update_municipality(
    db: Session,
    municipality_id: UUID,
    texts: MunicipalityTexts,
    modes: MunicipalityModes,
    *,
    actor: Actor,
    now: datetime,
) -> MunicipalityFault | None:
    """Change texts and modes; the code stays. The audit row names the fields that changed."""
    fault = _fault_of(texts, modes)
    if fault is not None:
        return fault
    row = db.get(Municipality, municipality_id)
    if row is None:
        return MunicipalityFault.UNKNOWN
    wanted = asdict(texts) | asdict(modes)
    changed = sorted(name for name, value in wanted.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, wanted[name])
    row.updated_at = now
    act = Act(
        "municipality.changed",
        subject_id=row.id,
        municipality_id=row.id,
        detail={"fields": " ".join(changed)},
    )
    record(db, act, actor=actor, now=now)
    return None


def find_municipality(db: Session, code: str) -> UUID | None:
    """Return the municipality with this code."""
    return db.scalar(select(Municipality.id).where(Municipality.code == code))


def find_texts_and_modes(
    db: Session, municipality_id: UUID
) -> tuple[MunicipalityTexts, MunicipalityModes]:
    """Return what a municipality has now, to change parts of it."""
    row = db.get_one(Municipality, municipality_id)
    texts = {item.name: getattr(row, item.name) for item in fields(MunicipalityTexts)}
    modes = {item.name: getattr(row, item.name) for item in fields(MunicipalityModes)}
    return MunicipalityTexts(**texts), MunicipalityModes(**modes)


def _fault_of(texts: MunicipalityTexts, modes: MunicipalityModes) -> MunicipalityFault | None:
    if not all(value.strip() for value in asdict(texts).values()):
        return MunicipalityFault.EMPTY
    if modes.lock_minutes not in LOCK_MINUTES:
        return MunicipalityFault.LOCK_MINUTES
    if modes.trusted_device_days not in TRUSTED_DEVICE_DAYS:
        return MunicipalityFault.TRUSTED_DAYS
    return None
