"""Errands: a way to the provider and back, bound to the browser that began it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from sqlite3 import Connection

from clients.kit.clock import to_text
from clients.kit.secret import digest

#: A mailed code may come late: as long as the provider's own pages may take.
ERRAND_LIFETIME = timedelta(minutes=60)


class Purpose(StrEnum):
    """What the browser was sent away for."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"


@dataclass(frozen=True)
class Errand:
    """What must be known again when the browser comes back."""

    nonce: str
    code_verifier: str
    next_path: str


def begin_errand(
    db: Connection, purpose: Purpose, errand: Errand, *, state: str, visit_key: str, now: datetime
) -> None:
    """Remember an errand under its state."""
    db.execute(
        "INSERT INTO errand (state_digest, purpose, visit_key, nonce, code_verifier, next_path,"
        " begun_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            digest(state),
            purpose,
            visit_key,
            errand.nonce,
            errand.code_verifier,
            errand.next_path,
            to_text(now),
        ),
    )


def claim_errand(
    db: Connection, purpose: Purpose, *, state: str, visit_key: str, now: datetime
) -> Errand | None:
    """Take an errand up again, once, in the browser that began it.

    The condition of the UPDATE is the lock: of two answers with one state, one is taken.
    """
    rows = db.execute(
        "UPDATE errand SET claimed_at = :now WHERE state_digest = :state AND purpose = :purpose"
        " AND visit_key = :visit AND claimed_at IS NULL AND begun_at > :old"
        " RETURNING nonce, code_verifier, next_path",
        {
            "now": to_text(now),
            "state": digest(state),
            "purpose": purpose,
            "visit": visit_key,
            "old": to_text(now - ERRAND_LIFETIME),
        },
    ).fetchall()
    return Errand(**dict(rows[0])) if rows else None


def forget_old_errands(db: Connection, *, now: datetime) -> None:
    """Delete the errands nobody can finish any more."""
    db.execute("DELETE FROM errand WHERE begun_at <= ?", (to_text(now - ERRAND_LIFETIME),))
