"""What the page of the second step shows."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy.orm import Session

from idp.domain.signin.code_mails import cool_down_left, masked_mail_of
from idp.domain.signin.interactions import DeviceUse, Walk
from idp.domain.signin.policy import StepKind, trust_days
from idp.domain.signin.second_step import open_step
from idp.domain.signin.setup import Setup
from idp.model.people import Account


@dataclass(frozen=True)
class CodePage:
    """The facts of the page."""

    #: mail or totp
    kind: str
    masked_mail: str
    minutes: int
    #: For how many days the device may skip the code; 0 = not offered.
    trust_days: int
    resend_wait_seconds: int


def look_at_code(db: Session, walk: Walk, *, setup: Setup, now: datetime) -> CodePage | None:
    """Return what to show, or None if this walk waits for no code (OT-13)."""
    kind = open_step(db, walk, now=now)
    if kind is None or walk.account_id is None:
        return None
    account = db.get_one(Account, walk.account_id)
    offers_trust = kind is StepKind.MAIL and walk.device_use is not DeviceUse.SHARED
    return CodePage(
        kind=kind.value,
        masked_mail=masked_mail_of(db, walk.account_id),
        minutes=int(setup.codes.lifetime.total_seconds() // 60),
        trust_days=trust_days(db, account) if offers_trust else 0,
        resend_wait_seconds=ceil(cool_down_left(db, walk.id, now=now).total_seconds()),
    )
