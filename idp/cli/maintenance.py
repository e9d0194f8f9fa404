"""`idp maintenance`: plan a time in which nobody can sign in, list plans, end one."""

import argparse
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from idp.base.dates import TOKYO, parse_moment
from idp.cli.context import opened
from idp.cli.failure import CommandError
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.domain.upkeep.maintenance import (
    ANNOUNCED_BEFORE,
    FRESH_FOR,
    MaintenanceFault,
    Plan,
    end_maintenance,
    list_windows,
    plan_maintenance,
)

_WORDS = {
    MaintenanceFault.ORDER: "--until must be later than --from",
    MaintenanceFault.OVER: "--until is over",
    MaintenanceFault.TOO_LONG: "more than seven days; plan a shorter time",
    MaintenanceFault.NOTE: "a note is one line of at most 200 characters",
}


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `maintenance plan|list|end`."""
    commands = rooms.add_parser(
        "maintenance", help="times in which nobody can sign in"
    ).add_subparsers(required=True)
    plan = commands.add_parser("plan", help="plan one; every page announces it")
    shape = "2026-11-29T00:00, Japan time unless it names an offset"
    plan.add_argument("--from", dest="start", type=_moment, help=f"{shape}; now if left out")
    plan.add_argument("--until", dest="end", type=_moment, required=True, help=shape)
    plan.add_argument(
        "--announce-days",
        type=int,
        choices=range(61),
        metavar="DAYS",
        default=ANNOUNCED_BEFORE.days,
        help="how long before, 0 to 60 (7)",
    )
    plan.add_argument("--note-ja", help="what the pages say beside the times")
    plan.add_argument("--note-en", help="the same in English")
    plan.set_defaults(run=_plan)
    commands.add_parser("list", help="what is planned or running").set_defaults(run=_list)
    end = commands.add_parser("end", help="call one off, or open again at once")
    end.add_argument("id", type=UUID)
    end.set_defaults(run=_end)


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: write it like 2026-11-29T00:00") from None


def _plan(options: argparse.Namespace) -> None:
    with opened(options) as context:
        start = options.start or context.now
        plan = Plan(
            starts_at=start,
            ends_at=options.end,
            announced_at=start - timedelta(days=options.announce_days),
            note_ja=options.note_ja,
            note_en=options.note_en,
        )
        outcome = plan_maintenance(context.db, plan, actor=COMMAND_LINE, now=context.now)
        if isinstance(outcome, MaintenanceFault):
            raise CommandError(f"nothing planned: {_WORDS[outcome]}")
    print(outcome)


def _list(options: argparse.Namespace) -> None:
    with opened(options) as context:
        windows = list_windows(context.db, now=context.now)
    for window in windows:
        state = "running" if window.starts_at <= context.now else "planned"
        print(f"{window.id}\t{state}\t{_write(window.starts_at)}\t{_write(window.ends_at)}")


def _write(moment: datetime) -> str:
    return moment.astimezone(TOKYO).isoformat(timespec="minutes")


def _end(options: argparse.Namespace) -> None:
    with opened(options) as context:
        if not end_maintenance(context.db, options.id, actor=COMMAND_LINE, now=context.now):
            raise CommandError("there is no such plan, or it is over")
    print(f"Ended; every process knows within {FRESH_FOR.seconds} seconds.")
