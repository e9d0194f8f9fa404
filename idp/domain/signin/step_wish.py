"""The person's own choice of a second step, where the municipality leaves it to her (B33)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.signin.policy import StepKind
from idp.domain.signin.sessions import SignedIn
from idp.domain.upkeep.audit import Act, Actor, record
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.households import Municipality, SecondStep
from idp.model.people import Account, TotpCredential


@dataclass(frozen=True)
class StepWish:
    """What the page of security shows of the second step."""

    #: The municipality leaves it to the person.
    is_free: bool
    #: A code is asked for after the password.
    is_on: bool
    #: Where her code comes from: IMPOSSIBLE where she has neither an app nor an address.
    means: StepKind


def find_step_wish(db: Session, account_id: UUID) -> StepWish:
    """Return how a person signs in, and whether she may change it."""
    row = db.execute(
        select(
            Account.wants_second_step,
            Account.email,
            Municipality.second_step,
            TotpCredential.confirmed_at,
        )
        .outerjoin(Municipality, Municipality.id == Account.municipality_id)
        .outerjoin(TotpCredential, TotpCredential.account_id == Account.id)
        .where(Account.id == account_id)
    ).one()
    is_free = row.second_step is SecondStep.USER_CHOICE
    means = StepKind.IMPOSSIBLE
    if row.confirmed_at is not None:
        means = StepKind.TOTP
    elif row.email is not None:
        means = StepKind.MAIL
    return StepWish(is_free, row.wants_second_step or not is_free, means)


def set_step_wish(
    db: Session, person: SignedIn, *, wanted: bool, actor: Actor, keys: Keyring, now: datetime
) -> bool:
    """Write the choice and mail it; False where it is not the person's, or no code reaches her.

    Choosing what is chosen already changes nothing and tells nobody.
    """
    wish = find_step_wish(db, person.account_id)
    if not wish.is_free or (wanted and wish.means is StepKind.IMPOSSIBLE):
        return False
    changed: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(Account)
        .where(Account.id == person.account_id, Account.wants_second_step.is_(not wanted))
        .values(wants_second_step=wanted, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount == 1:
        _tell(db, person, wanted=wanted, actor=actor, keys=keys, now=now)
    return True


def _tell(
    db: Session, person: SignedIn, *, wanted: bool, actor: Actor, keys: Keyring, now: datetime
) -> None:
    name, act_name = (
        ("second_step_on", "second_step.on") if wanted else ("second_step_off", "second_step.off")
    )
    act = Act(
        act_name,
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
    )
    record(db, act, actor=actor, now=now)
    if db.scalar(select(Account.email).where(Account.id == person.account_id)) is not None:
        mail = Mail(
            name=name,
            account_id=person.account_id,
            facts={"time": now.isoformat()},
            municipality_id=person.municipality_id,
        )
        enqueue_mail(db, mail, keys=keys, now=now)
