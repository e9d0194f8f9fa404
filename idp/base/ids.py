"""Identifiers of rows: unique, ordered by time, not secret."""

import secrets
from datetime import datetime
from uuid import UUID


def new_id(*, now: datetime) -> UUID:
    """Make a version 7 UUID (RFC 9562 §5.7): time first, so that indexes grow at one end.

    An identifier is never a secret: whoever needs an unguessable value takes
    `idp.base.secret.new_token`.
    """
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    # One question to the system; of its 80 bits, 74 are used.
    chance = int.from_bytes(secrets.token_bytes(10))
    value = milliseconds << 80
    value |= 0x7 << 76
    value |= (chance >> 68) << 64
    value |= 0b10 << 62
    value |= chance & (2**62 - 1)
    return UUID(int=value)


def new_version() -> int:
    """Make the mark of one state of a row: nine digits that no other state has, even one undone.

    A number that counts up comes a second time after a rollback, and whoever has read it in
    between takes what never was for the present state. One by chance does so in one of a
    thousand million changes.
    """
    return secrets.randbelow(10**9 - 1) + 1
