"""What a municipality and a person decide about a sign-in: lock, second step, trusted devices."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.domain.signin.devices import KnownDevice
from idp.domain.signin.totp import has_totp
from idp.model.households import Municipality, SecondStep
from idp.model.people import Account, Door
from idp.protocol import acr

#: Bounds of the setting (product.md "Values"): a lock must not become a weapon.
_SHORTEST_LOCK, _LONGEST_LOCK, _LOCK = 5, 60, 30
_LONGEST_TRUST_DAYS = 30


@dataclass(frozen=True)
class SitePolicy:
    """What the municipality of the page decides; the same for everyone who types there."""

    lock: timedelta
    #: Longest time a device may skip the mailed code; 0 = not offered.
    trust_days: int


class StepKind(StrEnum):
    """How a person shows a second time that it is her."""

    #: The password is enough here and now.
    NONE = "none"
    MAIL = "mail"
    TOTP = "totp"
    #: A second step is demanded and she has none: nobody is let in.
    IMPOSSIBLE = "impossible"


def site_policy(db: Session, municipality_id: UUID | None) -> SitePolicy:
    """Return the policy of a municipality's pages; of pages of none, the defaults.

    It is the page's municipality, not the person's: an id nobody has locks as long (EN-01).
    """
    row = db.get(Municipality, municipality_id) if municipality_id else None
    minutes = row.lock_minutes if row else _LOCK
    days = row.trusted_device_days if row else 0
    return SitePolicy(
        lock=timedelta(minutes=min(max(minutes, _SHORTEST_LOCK), _LONGEST_LOCK)),
        trust_days=min(max(days, 0), _LONGEST_TRUST_DAYS),
    )


def choose_second_step(
    db: Session, account: Account, *, wanted_acr: acr.Acr | None, device: KnownDevice | None
) -> StepKind:
    """Tell which second step this sign-in needs.

    Staff: always the app. Families: as the municipality says, always or as the person likes;
    what a service asks for by `acr_values` comes on top, and a trusted device skips only what
    the municipality or the person asks for.
    """
    if account.door is Door.STAFF:
        return StepKind.TOTP if has_totp(db, account.id) else StepKind.IMPOSSIBLE
    wanted = wanted_acr is not None and acr.rank(wanted_acr) > acr.rank(acr.Acr.PASSWORD)
    is_skipped = device is not None and device.is_trusted and trust_days(db, account) > 0
    if wanted or (_is_always_asked(db, account) and not is_skipped):
        return strongest_step(db, account)
    return StepKind.NONE


def _is_always_asked(db: Session, account: Account) -> bool:
    policy = db.scalar(
        select(Municipality.second_step).where(Municipality.id == account.municipality_id)
    )
    if policy is not SecondStep.USER_CHOICE:
        return True
    # Her own wish must not shut her out when her mailbox is gone: nobody else demands it.
    return account.wants_second_step and strongest_step(db, account) is not StepKind.IMPOSSIBLE


def strongest_step(db: Session, account: Account) -> StepKind:
    """Return the best second step a person has."""
    if has_totp(db, account.id):
        return StepKind.TOTP
    if account.email is not None and account.door is Door.FAMILY:
        return StepKind.MAIL
    return StepKind.IMPOSSIBLE


def trust_days(db: Session, account: Account) -> int:
    """Return for how many days this person may trust a device; staff never."""
    if account.door is Door.STAFF:
        return 0
    return site_policy(db, account.municipality_id).trust_days


def acr_of(step: StepKind) -> tuple[acr.Acr, tuple[str, ...]]:
    """Return `acr` and `amr` of a password followed by this step; honest, see §1.16."""
    match step:
        case StepKind.TOTP:
            return acr.Acr.MULTI_FACTOR, (
                acr.PASSWORD,
                acr.ONE_TIME_CODE,
                acr.MULTI_FACTOR,
            )
        case StepKind.MAIL:
            return acr.Acr.MAILED_CODE, (acr.PASSWORD, acr.ONE_TIME_CODE)
        case _:
            return acr.Acr.PASSWORD, (acr.PASSWORD,)
