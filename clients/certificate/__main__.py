"""The command line of the certificate application."""

import argparse
import sys
from datetime import date, datetime
from pathlib import Path
from sqlite3 import Connection

from clients.certificate.issuing import children_of, household_of, issue_anew, revoke_of_child
from clients.certificate.site import DEFAULT_PORT, FOLDER, create_app_from, load_settings
from clients.certificate.unread import report_unread
from clients.kit.app import open_database
from clients.kit.cli import Command, CommandError, Program, run_program
from clients.kit.clock import utc_now


def issue(config: Path, options: argparse.Namespace) -> str:
    """Issue certificates anew: for one child, or for all a household has had any for."""
    database, now = open_database(load_settings(config), FOLDER, clock=utc_now), utc_now()
    with database.write() as db:
        numbers = [
            issue_anew(db, options.household, child_id, birthdate, now=now)
            for child_id, birthdate in _children(db, options).items()
        ]
        report_unread(db, options.household, now=now)
    return "\n".join(numbers)


def revoke(config: Path, options: argparse.Namespace) -> str:
    """Revoke what the child of a certificate holds."""
    database, now = open_database(load_settings(config), FOLDER, clock=utc_now), utc_now()
    with database.write() as db:
        count = _revoke(db, options.number, now=now)
    return f"{count} revoked"


def _revoke(db: Connection, number: str, *, now: datetime) -> int:
    found = household_of(db, number)
    if found is None:
        raise CommandError("no certificate has this number")
    household_id, child_id = found
    count = revoke_of_child(db, household_id, child_id, now=now)
    report_unread(db, household_id, now=now)
    return count


def _children(db: Connection, options: argparse.Namespace) -> dict[str, date]:
    known = children_of(db, options.household)
    if options.child is None:
        if not known:
            raise CommandError("this household has no certificate yet; name --child, --birthdate")
        return known
    birthdate = options.birthdate or known.get(options.child)
    if birthdate is None:
        raise CommandError("the first certificate of a child needs its --birthdate")
    return {options.child: birthdate}


def _issue_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--household", required=True, help="the household_id of the claims")
    parser.add_argument("--child", help="the id of one child; without it, every child known here")
    parser.add_argument("--birthdate", type=date.fromisoformat, metavar="YYYY-MM-DD")


def _revoke_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", required=True, help="the number on the certificate")


PROGRAM = Program(
    name="certificate",
    port=DEFAULT_PORT,
    load=load_settings,
    factory=create_app_from,
    commands={
        "issue": Command("issue certificates anew", _issue_options, issue),
        "revoke": Command("revoke a child's certificate", _revoke_options, revoke),
    },
)

if __name__ == "__main__":
    sys.exit(run_program(PROGRAM))
