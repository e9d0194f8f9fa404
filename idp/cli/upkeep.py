"""`idp housekeeping`: delete what has served its time, now."""

import argparse
from typing import Any

from idp.cli.context import opened
from idp.domain.backstage.housekeeping import clean_up


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `housekeeping`; the worker does the same every hour."""
    command = rooms.add_parser("housekeeping", help="delete what has served its time")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    with opened(options) as context:
        count = clean_up(context.db, now=context.now)
    print(f"{count} rows deleted.")
