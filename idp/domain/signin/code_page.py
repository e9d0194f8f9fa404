"""What the page of the second step shows."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy.orm import Session

from idp.base.contact import mask_mail
from idp.domain.signin.code_mails import cool_down_left
from idp.domain.signin.interactions import DeviceUse, Walk
from idp.domain.signin.policy import StepKind, trust_days
from idp.domain.signin.second_step import open_step
from idp.domain.signin.setup import Setup


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
    step = open_step(db, walk, now=now)
    if step is None:
        return None
    person = step.person
    offers_trust = step.kind is StepKind.MAIL and walk.device_use is not DeviceUse.SHARED
    return CodePage(
        kind=step.kind.value,
        masked_mail=mask_mail(person.email) if person.email else "",
        minutes=int(setup.codes.lifetime.total_seconds() // 60),
        trust_days=trust_days(person) if offers_trust else 0,
        resend_wait_seconds=ceil(cool_down_left(db, walk.id, now=now).total_seconds()),
    )
