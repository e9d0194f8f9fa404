"""The command line of the booking application."""

import argparse
import sys
from pathlib import Path

import segno

from clients.booking.book import State
from clients.booking.ending import TooLate, Verdict, answer_request
from clients.booking.facilities import find_facility, seed_facilities
from clients.booking.history import find_booking, waiting_requests
from clients.booking.mails import tell_household
from clients.booking.site import DEFAULT_PORT, FOLDER, create_app_from, load_settings
from clients.kit.app import load_all_texts, open_database
from clients.kit.cli import Command, CommandError, Program, run_program
from clients.kit.clock import utc_now


def seed(config: Path, options: argparse.Namespace) -> str:
    """Enter the fictional facilities and their slots."""
    settings, _ = load_settings(config)
    database = open_database(settings, FOLDER, clock=utc_now)
    with database.write() as db:
        added = seed_facilities(db, weeks=options.weeks, now=utc_now())
    return f"{added} new slots in the next {options.weeks} weeks"


def requests(config: Path, _options: argparse.Namespace) -> str:
    """List what facilities have to answer."""
    settings, _ = load_settings(config)
    database = open_database(settings, FOLDER, clock=utc_now)
    with database.read() as db:
        waiting = waiting_requests(db, now=utc_now())
    return "\n".join(
        f"{record.id} {record.facility.code} {record.day} {record.start_hour}-{record.end_hour}"
        for record in waiting
    )


def answer(config: Path, options: argparse.Namespace) -> str:
    """Enter a facility's answer, and tell the household (B54)."""
    settings, _ = load_settings(config)
    database, now = open_database(settings, FOLDER, clock=utc_now), utc_now()
    verdict = Verdict(options.verdict)
    with database.write() as db:
        outcome = answer_request(db, options.booking, verdict, now=now)
        if isinstance(outcome, TooLate):
            raise CommandError("no such waiting booking; `requests` lists them")
        record = find_booking(db, outcome.household_id, outcome.booking_id)
        assert record is not None, "it was answered in this transaction"
        kind = "approved" if record.state is State.BOOKED else "declined"
        tell_household(db, kind, record, settings, load_all_texts(FOLDER), now=now)
    return f"{record.id} {kind}"


def door_sign(config: Path, options: argparse.Namespace) -> str:
    """Draw the QR code for a facility's door."""
    settings, _ = load_settings(config)
    database = open_database(settings, FOLDER, clock=utc_now)
    with database.read() as db:
        facility = find_facility(db, options.facility)
    if facility is None:
        raise CommandError("no such facility; see facilities.toml")
    url = f"{settings.base_url}/b/{facility.code}"
    segno.make(url, error="q").save(str(options.out), scale=8, border=4)
    return f"{options.out}: {url}"


def _seed_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weeks", type=int, choices=range(1, 53), default=8, metavar="1-52")


def _no_options(_parser: argparse.ArgumentParser) -> None:
    pass


def _answer_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verdict", choices=[verdict.value for verdict in Verdict])
    parser.add_argument("--booking", required=True, help="the id that `requests` shows")


def _door_sign_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--facility", required=True, help="its code")
    parser.add_argument("--out", required=True, type=Path, help="an .svg or .png file")


PROGRAM = Program(
    name="booking",
    port=DEFAULT_PORT,
    load=lambda config: load_settings(config)[0],
    factory=create_app_from,
    commands={
        "seed": Command("enter facilities and slots", _seed_options, seed),
        "requests": Command("list bookings waiting for an answer", _no_options, requests),
        "answer": Command("approve or decline a booking", _answer_options, answer),
        "door-sign": Command("draw the QR code of a facility", _door_sign_options, door_sign),
    },
)

if __name__ == "__main__":
    sys.exit(run_program(PROGRAM))
