"""Visits: what the server remembers of a browser, before and after sign-in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Connection, Row
from typing import Any

from clients.kit.claims import Person, read_person, remembered
from clients.kit.clock import to_text
from clients.kit.secret import digest, new_token

IDLE_LIFETIME = timedelta(minutes=60)
VISIT_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True)
class Visit:
    """A living visit. `person` is None before sign-in; `key` is the digest of the cookie."""

    key: str
    person: Person | None
    sid: str | None
    id_token: str | None


@dataclass(frozen=True)
class SignIn:
    """What a finished sign-in brings."""

    sub: str
    sid: str | None
    id_token: str
    claims: Mapping[str, Any]


def begin_visit(db: Connection, *, now: datetime) -> str:
    """Begin a visit of somebody unknown and return the cookie's token."""
    token = new_token()
    db.execute(
        "INSERT INTO visit (key, started_at, seen_at) VALUES (?, ?, ?)",
        (digest(token), to_text(now), to_text(now)),
    )
    return token


def resume_visit(db: Connection, token: str, *, now: datetime) -> Visit | None:
    """Return the visit of a cookie and note that it is alive; None when there is none.

    The condition of the UPDATE decides: 60 minutes without a request, or 12 hours in all, and
    the visit is over, whatever housekeeping has done so far.
    """
    rows = db.execute(
        "UPDATE visit SET seen_at = :now WHERE key = :key AND seen_at > :idle AND started_at > :old"
        " RETURNING key, sub, sid, id_token, claims",
        {
            "now": to_text(now),
            "key": digest(token),
            "idle": to_text(now - IDLE_LIFETIME),
            "old": to_text(now - VISIT_LIFETIME),
        },
    ).fetchall()
    return _visit(rows[0]) if rows else None


def sign_in_visit(db: Connection, old: Visit, sign_in: SignIn, *, now: datetime) -> str | None:
    """Replace a visit by a signed-in one under a new id; return its token.

    None when the provider has already ended this very session: a logout token may overtake
    the sign-in that it ends.
    """
    end_visit(db, old.key)
    if _was_ended(db, sign_in):
        return None
    token = new_token()
    db.execute(
        "INSERT INTO visit (key, started_at, seen_at, signed_in_at, sub, sid, id_token, claims)"
        " VALUES (:key, :now, :now, :now, :sub, :sid, :id_token, :claims)",
        {
            "key": digest(token),
            "now": to_text(now),
            "sub": sign_in.sub,
            "sid": sign_in.sid,
            "id_token": sign_in.id_token,
            "claims": json.dumps(remembered(sign_in.claims), ensure_ascii=False),
        },
    )
    return token


def end_visit(db: Connection, key: str) -> None:
    """Forget a visit; doing it twice is harmless."""
    db.execute("DELETE FROM visit WHERE key = ?", (key,))


def end_visits_of(db: Connection, *, sid: str | None, sub: str | None) -> int:
    """End the visits a logout token names: of the session, or all of the person."""
    ended = db.execute(
        "DELETE FROM visit WHERE (:sid IS NOT NULL OR :sub IS NOT NULL)"
        " AND (:sid IS NULL OR sid = :sid) AND (:sub IS NULL OR sub = :sub)",
        {"sid": sid, "sub": sub},
    )
    return ended.rowcount


def forget_old_visits(db: Connection, *, now: datetime) -> None:
    """Delete the visits that are over."""
    db.execute(
        "DELETE FROM visit WHERE seen_at <= ? OR started_at <= ?",
        (to_text(now - IDLE_LIFETIME), to_text(now - VISIT_LIFETIME)),
    )


def _was_ended(db: Connection, sign_in: SignIn) -> bool:
    """Only a token that names the session counts: one for the person ends what was before."""
    found = db.execute("SELECT 1 FROM logout_token WHERE sid = ?", (sign_in.sid,)).fetchone()
    return found is not None


def _visit(row: Row) -> Visit:
    person = None if row["claims"] is None else read_person(json.loads(row["claims"]))
    return Visit(key=row["key"], person=person, sid=row["sid"], id_token=row["id_token"])
