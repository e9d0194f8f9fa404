"""What every part of the seed works with."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.signin.passwords import Hasher


@dataclass(frozen=True)
class Tools:
    """The one transaction of the seed, and what operations ask for beside it."""

    db: Session
    keys: Keyring
    hasher: Hasher
    now: datetime
    issuer: str


class SeedError(Exception):
    """A domain operation refused what the seed asked for; the message names both."""


def taken(outcome: object, refusals: type | tuple[type, ...]) -> None:
    """See that an operation did what it was asked.

    Raises:
        SeedError: the outcome is one of its refusals.
    """
    if isinstance(outcome, refusals):
        raise SeedError(f"{type(outcome).__name__}: {outcome}")
