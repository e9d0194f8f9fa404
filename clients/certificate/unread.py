"""The notice of unread certificates: told to the provider, shown at sign-in, put off."""

from datetime import datetime
from sqlite3 import Connection

from clients.certificate.certificates import unread_certificates
from clients.kit.clock import tokyo_day
from clients.kit.outbox import report_pending

CODE = "certificate.unread"


def report_unread(db: Connection, household_id: str, *, now: datetime) -> None:
    """Tell the provider the number of unread certificates, if it is another than last time."""
    count = len(unread_certificates(db, household_id, today=tokyo_day(now)))
    changed = db.execute(
        "UPDATE household SET reported_unread = :count"
        " WHERE household_id = :household AND reported_unread <> :count",
        {"count": count, "household": household_id},
    )
    if changed.rowcount == 1:
        report_pending(db, household_id, CODE, count, now=now)


def report_what_ran_out(db: Connection, *, now: datetime) -> None:
    """Correct the count of households whose unread certificates have run out unread."""
    rows = db.execute(
        "SELECT DISTINCT household_id FROM household JOIN certificate USING (household_id)"
        " WHERE reported_unread > 0 AND confirmed_at IS NULL AND valid_until < ?",
        (tokyo_day(now).isoformat(),),
    ).fetchall()
    for row in rows:
        report_unread(db, row["household_id"], now=now)


def put_off(db: Connection, visit_key: str) -> None:
    """Do not show the notice again in this visit."""
    db.execute("INSERT INTO notice_put_off VALUES (?) ON CONFLICT DO NOTHING", (visit_key,))


def is_put_off(db: Connection, visit_key: str) -> bool:
    """Tell whether the notice was put off in this visit."""
    found = db.execute("SELECT 1 FROM notice_put_off WHERE visit_key = ?", (visit_key,)).fetchone()
    return found is not None


def forget_put_off(db: Connection) -> None:
    """Delete the marks of visits that are over."""
    db.execute("DELETE FROM notice_put_off WHERE visit_key NOT IN (SELECT key FROM visit)")
