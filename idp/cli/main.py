"""The idp command: reads the settings, runs one subcommand, says what went wrong in one line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from idp.base.logs import configure_logs
from idp.cli import (
    accounts,
    clients,
    config,
    database,
    deliveries,
    documents,
    keys,
    maintenance,
    municipalities,
    serving,
    staff,
    upkeep,
)
from idp.cli.failure import CommandError
from idp.settings.check import SettingsError

_ROOMS = (
    config,
    database,
    serving,
    keys,
    clients,
    deliveries,
    documents,
    municipalities,
    staff,
    accounts,
    maintenance,
    upkeep,
)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser with every subcommand."""
    parser = argparse.ArgumentParser(prog="idp", description="Kosodate ID: the provider's tools.")
    parser.add_argument(
        "--config", type=Path, help="settings file (else IDP_CONFIG, else ./config.toml)"
    )
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")
    for room in _ROOMS:
        room.add_commands(rooms)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused, 2 called wrongly."""
    options = build_parser().parse_args(arguments)
    configure_logs(level="WARNING", form="text")
    try:
        code: int = options.run(options) or 0
    except (SettingsError, CommandError) as error:
        sys.stderr.write(f"idp: {error}\n")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
