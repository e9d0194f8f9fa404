"""Children of a household: what the provider said, and the nickname the family gave."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from sqlite3 import Connection

from clients.kit.ages import age_in_months
from clients.kit.claims import Child, ChildStatus, Person
from clients.kit.clock import to_text
from clients.kit.dates import plain_day

_LONGEST_NICKNAME = 30
#: Control, format, surrogate, private and unassigned characters, and line ends: never in a name.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True)
class KnownChild:
    """A child and how the family calls it here; the nickname may be empty."""

    child: Child
    nickname: str


def remember_children(db: Connection, person: Person, *, now: datetime) -> None:
    """Note the children of the household as the provider describes them now."""
    if person.household is None:
        return
    for child in person.children:
        db.execute(
            "INSERT INTO child (household_id, child_id, birthdate, status, seen_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (household_id, child_id) DO UPDATE SET"
            " birthdate = excluded.birthdate, status = excluded.status, seen_at = excluded.seen_at",
            (
                person.household.id,
                child.id,
                child.birthdate.isoformat(),
                child.status,
                to_text(now),
            ),
        )


def known_children(db: Connection, household_id: str) -> dict[str, KnownChild]:
    """Return every child the household ever had here, the youngest first.

    A child that is no longer among the claims is still needed to read its history.
    """
    rows = db.execute(
        "SELECT child_id, birthdate, status, nickname FROM child"
        " WHERE household_id = ? ORDER BY birthdate DESC, child_id",
        (household_id,),
    )
    return {
        row["child_id"]: KnownChild(
            Child(
                row["child_id"], date.fromisoformat(row["birthdate"]), ChildStatus(row["status"])
            ),
            row["nickname"],
        )
        for row in rows
    }


def rename_child(db: Connection, household_id: str, child_id: str, nickname: str) -> bool:
    """Set the nickname of a child of the household; False when there is no such child."""
    changed = db.execute(
        "UPDATE child SET nickname = ? WHERE household_id = ? AND child_id = ?",
        (nickname, household_id, child_id),
    )
    return changed.rowcount == 1


def parse_nickname(text: str) -> str | None:
    """Return a nickname as typed, spaces tidied; None when it cannot be one line of text."""
    tidy = " ".join(text.split())
    if len(tidy) > _LONGEST_NICKNAME:
        return None
    if any(unicodedata.category(character) in _UNPRINTABLE for character in tidy):
        return None
    return tidy


def label(known: KnownChild, say: Callable[..., str]) -> str:
    """ひより さん（2024年5月12日生まれ）, or お子さま（2024年5月12日生まれ）."""
    birthdate = plain_day(known.child.birthdate, say)
    if known.nickname:
        return say("child.named", nickname=known.nickname, birthdate=birthdate)
    return say("child.label", birthdate=birthdate)


def mail_label(known: KnownChild, on: date, say: Callable[..., str]) -> str:
    """Name a child in a mail without its birthdate: mails are read over shoulders."""
    if known.nickname:
        return say("child.called", nickname=known.nickname)
    return say("child.aged", years=age_in_months(known.child.birthdate, on) // 12)
