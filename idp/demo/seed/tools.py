"""What every part of the seed works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring


class SeedError(Exception):
    """A domain operation refused what the seed asked for; the message names both."""


@dataclass(frozen=True)
class Secret:
    """A password in clear, shown to whoever runs the demo, and its hash."""

    password: str
    hashed: str


@dataclass(frozen=True)
class Tools:
    """The one transaction of the seed, and what operations ask for beside it."""

    db: Session
    keys: Keyring
    issuer: str
    #: By address. Made before the transaction: hashing takes its time.
    secrets: Mapping[str, Secret]
    now: datetime
