"""The certificates of a household: read them, confirm them once, and what state they are in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from sqlite3 import Connection, Row

from clients.kit.claims import Household, Role
from clients.kit.clock import from_text, to_text, tokyo_day

#: How long a certificate can be read after its last day.
_HISTORY_LIFETIME = timedelta(days=5 * 365)


class State(StrEnum):
    """The life of a certificate: issued → read → valid → expired, or revoked."""

    ISSUED = "issued"
    READ = "read"
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Certificate:
    """A certificate as its household sees it."""

    id: str
    child_id: str
    birthdate: date
    number: str
    application_number: str
    issued_on: date
    valid_from: date
    valid_until: date
    confirmed_at: datetime | None
    confirmed_by: str | None
    revoked_at: datetime | None

    def state(self, *, today: date) -> State:
        """Tell the state on a day."""
        if self.revoked_at is not None:
            return State.REVOKED
        if today > self.valid_until:
            return State.EXPIRED
        if self.confirmed_at is None:
            return State.ISSUED
        return State.VALID if self.valid_from <= today else State.READ


@dataclass(frozen=True)
class Confirmed:
    """The household has now seen this certificate."""


@dataclass(frozen=True)
class AlreadyDone:
    """Somebody was faster, or there is nothing to confirm any more."""


@dataclass(frozen=True)
class OnlyRepresentative:
    """A proxy may read it; confirming is left to the representative."""


def certificates_of_household(db: Connection, household_id: str) -> list[Certificate]:
    """Return every certificate of a household, the newest first."""
    rows = db.execute(
        "SELECT * FROM certificate WHERE household_id = ? ORDER BY issued_on DESC, number DESC",
        (household_id,),
    )
    return [_certificate(row) for row in rows]


def find_certificate(db: Connection, household_id: str, certificate_id: str) -> Certificate | None:
    """Return a certificate of this household; another's is as if there were none."""
    row = db.execute(
        "SELECT * FROM certificate WHERE id = ? AND household_id = ?",
        (certificate_id, household_id),
    ).fetchone()
    return _certificate(row) if row else None


def confirm_certificate(
    db: Connection, household: Household, sub: str, certificate_id: str, *, now: datetime
) -> Confirmed | AlreadyDone | OnlyRepresentative:
    """Confirm a certificate, once per household (A31). The condition in the UPDATE is the lock."""
    if household.role is not Role.REPRESENTATIVE:
        return OnlyRepresentative()
    confirmed = db.execute(
        "UPDATE certificate SET confirmed_at = :now, confirmed_by = :sub"
        " WHERE id = :id AND household_id = :household AND confirmed_at IS NULL"
        " AND revoked_at IS NULL AND valid_until >= :today",
        {
            "now": to_text(now),
            "sub": sub,
            "id": certificate_id,
            "household": household.id,
            "today": tokyo_day(now).isoformat(),
        },
    )
    return Confirmed() if confirmed.rowcount == 1 else AlreadyDone()


def unread_certificates(db: Connection, household_id: str, *, today: date) -> list[Certificate]:
    """Return those nobody of the household has confirmed yet and that still count."""
    return [
        certificate
        for certificate in certificates_of_household(db, household_id)
        if certificate.state(today=today) is State.ISSUED
    ]


def forget_old_certificates(db: Connection, *, now: datetime) -> None:
    """Delete certificates five years after their last day."""
    last = tokyo_day(now) - _HISTORY_LIFETIME
    db.execute("DELETE FROM certificate WHERE valid_until < ?", (last.isoformat(),))


def _certificate(row: Row) -> Certificate:
    def moment(name: str) -> datetime | None:
        return from_text(row[name]) if row[name] else None

    return Certificate(
        id=row["id"],
        child_id=row["child_id"],
        birthdate=date.fromisoformat(row["birthdate"]),
        number=row["number"],
        application_number=row["application_number"],
        issued_on=date.fromisoformat(row["issued_on"]),
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_until=date.fromisoformat(row["valid_until"]),
        confirmed_at=moment("confirmed_at"),
        confirmed_by=row["confirmed_by"],
        revoked_at=moment("revoked_at"),
    )
