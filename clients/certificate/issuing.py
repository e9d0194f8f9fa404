"""The fictional register: certificates are issued at a household's first visit, and by command."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime
from sqlite3 import Connection

from clients.kit.ages import first_day, last_day
from clients.kit.claims import Child, ChildStatus
from clients.kit.clock import to_text, tokyo_day

_LEFT = frozenset({ChildStatus.MOVED_OUT, ChildStatus.WITHDRAWN})


def meet_household(
    db: Connection, household_id: str, children: Iterable[Child], *, now: datetime
) -> None:
    """Bring a household's certificates in line with what the provider says at a sign-in.

    A child without a certificate gets its first; one that has left the scheme loses its own.
    Doing it again is harmless. Runs in a writing transaction, so nobody is in between.
    """
    _note_household(db, household_id, now=now)
    for child in children:
        if child.status in _LEFT:
            revoke_of_child(db, household_id, child.id, now=now)
        elif _last_edition(db, household_id, child.id) == 0:
            _issue(db, household_id, child.id, child.birthdate, edition=1, now=now)


def issue_anew(
    db: Connection, household_id: str, child_id: str, birthdate: date, *, now: datetime
) -> str:
    """Issue a further certificate, unread again; earlier ones of the child are revoked."""
    _note_household(db, household_id, now=now)
    revoke_of_child(db, household_id, child_id, now=now)
    edition = _last_edition(db, household_id, child_id) + 1
    return _issue(db, household_id, child_id, birthdate, edition=edition, now=now)


def revoke_of_child(db: Connection, household_id: str, child_id: str, *, now: datetime) -> int:
    """Revoke what a child holds and has not run out; return how many that were."""
    revoked = db.execute(
        "UPDATE certificate SET revoked_at = ? WHERE household_id = ? AND child_id = ?"
        " AND revoked_at IS NULL AND valid_until >= ?",
        (to_text(now), household_id, child_id, tokyo_day(now).isoformat()),
    )
    return revoked.rowcount


def children_of(db: Connection, household_id: str) -> dict[str, date]:
    """Return the birthdates of the children that certificates were issued for."""
    rows = db.execute(
        "SELECT DISTINCT child_id, birthdate FROM certificate WHERE household_id = ?",
        (household_id,),
    )
    return {row["child_id"]: date.fromisoformat(row["birthdate"]) for row in rows}


def household_of(db: Connection, number: str) -> tuple[str, str] | None:
    """Return household and child of a certificate's number."""
    row = db.execute(
        "SELECT household_id, child_id FROM certificate WHERE number = ?", (number,)
    ).fetchone()
    return (row["household_id"], row["child_id"]) if row else None


def _note_household(db: Connection, household_id: str, *, now: datetime) -> None:
    db.execute(
        "INSERT INTO household (household_id, first_seen_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (household_id, to_text(now)),
    )


def _last_edition(db: Connection, household_id: str, child_id: str) -> int:
    row = db.execute(
        "SELECT coalesce(max(edition), 0) AS last FROM certificate"
        " WHERE household_id = ? AND child_id = ?",
        (household_id, child_id),
    ).fetchone()
    return int(row["last"])


def _issue(
    db: Connection,
    household_id: str,
    child_id: str,
    birthdate: date,
    *,
    edition: int,
    now: datetime,
) -> str:
    """Enter a certificate; for a child already past its last day, one that has run out."""
    today, begin, end = tokyo_day(now), first_day(birthdate), last_day(birthdate)
    valid_from = begin if today > end else max(begin, today)
    issued_on = min(valid_from, today)
    number = _next_number(db, issued_on.year)
    db.execute(
        "INSERT INTO certificate (id, household_id, child_id, birthdate, edition, number,"
        " application_number, issued_on, valid_from, valid_until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            secrets.token_urlsafe(12),
            household_id,
            child_id,
            birthdate.isoformat(),
            edition,
            f"{issued_on.year}-{number:05d}",
            f"K{issued_on.year % 100:02d}-{number:06d}",
            issued_on.isoformat(),
            valid_from.isoformat(),
            end.isoformat(),
        ),
    )
    return f"{issued_on.year}-{number:05d}"


def _next_number(db: Connection, year: int) -> int:
    row = db.execute(
        "INSERT INTO register (year, last_number) VALUES (?, 1)"
        " ON CONFLICT (year) DO UPDATE SET last_number = last_number + 1 RETURNING last_number",
        (year,),
    ).fetchall()[0]
    return int(row["last_number"])
