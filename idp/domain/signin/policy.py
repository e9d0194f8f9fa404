"""What a municipality and a person decide about a sign-in: lock, second step, trusted devices."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.domain.signin.candidates import Candidate
from idp.domain.signin.devices import KnownDevice
from idp.model.households import Municipality, SecondStep
from idp.model.people import Door
from idp.protocol import acr

#: Bounds of the setting (product.md "Values"): a lock must not become a weapon.
_SHORTEST_LOCK, _LONGEST_LOCK, _LOCK = 5, 60, 30
_LONGEST_TRUST_DAYS = 30


class StepKind(StrEnum):
    """How a person shows a second time that it is her."""

    #: The password is enough here and now.
    NONE = "none"
    MAIL = "mail"
    TOTP = "totp"
    #: A second step is demanded and she has none: nobody is let in.
    IMPOSSIBLE = "impossible"


def find_lock(db: Session, municipality_id: UUID | None) -> timedelta:
    """Return how long the pages of a municipality lock; of pages of none, the default.

    It is the page's municipality, not the person's: an id nobody has locks as long (EN-01).
    """
    wanted = select(Municipality.lock_minutes).where(Municipality.id == municipality_id)
    return lock_of(db.scalar(wanted) if municipality_id else None)


def lock_of(minutes: int | None) -> timedelta:
    """Return how long a lock lasts where a municipality says so many minutes, or nothing."""
    wanted = _LOCK if minutes is None else minutes
    return timedelta(minutes=min(max(wanted, _SHORTEST_LOCK), _LONGEST_LOCK))


def choose_second_step(
    candidate: Candidate, *, wanted_acr: acr.Acr | None, device: KnownDevice | None
) -> StepKind:
    """Tell which second step this sign-in needs.

    Staff: always the app. Families: as the municipality says, always or as the person likes;
    what a service asks for by `acr_values` comes on top, and a trusted device skips only what
    the municipality or the person asks for.
    """
    if candidate.door is Door.STAFF:
        return StepKind.TOTP if candidate.has_app else StepKind.IMPOSSIBLE
    wanted = wanted_acr is not None and acr.rank(wanted_acr) > acr.rank(acr.Acr.PASSWORD)
    is_skipped = device is not None and device.is_trusted and trust_days(candidate) > 0
    if wanted or (_is_always_asked(candidate) and not is_skipped):
        return strongest_step(candidate)
    return StepKind.NONE


def _is_always_asked(candidate: Candidate) -> bool:
    if candidate.second_step is not SecondStep.USER_CHOICE:
        return True
    # Her own wish must not shut her out when her mailbox is gone: nobody else demands it.
    can = strongest_step(candidate) is not StepKind.IMPOSSIBLE
    return candidate.wants_second_step and can


def strongest_step(candidate: Candidate) -> StepKind:
    """Return the best second step a person has."""
    if candidate.has_app:
        return StepKind.TOTP
    if candidate.email is not None and candidate.door is Door.FAMILY:
        return StepKind.MAIL
    return StepKind.IMPOSSIBLE


def trust_days(candidate: Candidate) -> int:
    """Return for how many days this person may trust a device; staff never."""
    if candidate.door is Door.STAFF:
        return 0
    return min(max(candidate.trusted_device_days, 0), _LONGEST_TRUST_DAYS)


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
