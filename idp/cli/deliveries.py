"""`idp deliveries`: what services have not taken, and trying it again."""

import argparse
from typing import Any
from uuid import UUID

from idp.cli.context import opened
from idp.cli.failure import CommandError
from idp.domain.backstage.deliveries import try_again, try_all_again, view_deliveries
from idp.domain.upkeep.audit import COMMAND_LINE


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `deliveries list|retry`."""
    commands = rooms.add_parser(
        "deliveries", help="logout calls and events that services have not taken"
    ).add_subparsers(required=True)
    shown = commands.add_parser("list", help="list them, the newest first")
    shown.add_argument("--page", type=int, default=1)
    shown.set_defaults(run=_list)
    again = commands.add_parser("retry", help="have one tried now, or all")
    again.add_argument("which", metavar="ID|all")
    again.set_defaults(run=_retry)


def _list(options: argparse.Namespace) -> None:
    with opened(options) as context:
        found = view_deliveries(context.db, options.page)
    if found is None:
        raise CommandError(f"there is no page {options.page}")
    for each in found.deliveries:
        state = "failed" if each.has_failed else "waits"
        print(
            f"{each.id}\t{each.created_at:%Y-%m-%d %H:%M}Z\t{each.client_id}\t{each.name}\t{state}"
            f"\t{each.try_count}\t{each.last_problem or ''}"
        )
    if found.page_count > 1:
        print(f"page {found.page} of {found.page_count}")


def _retry(options: argparse.Namespace) -> None:
    with opened(options) as context:
        if options.which == "all":
            print(try_all_again(context.db, actor=COMMAND_LINE, now=context.now))
            return
        row_id = _read_id(options.which)
        if not try_again(context.db, row_id, actor=COMMAND_LINE, now=context.now):
            raise CommandError("there is no such delivery, or it is under way")


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"{text} is no id of a delivery") from None
