"""The idp command: reads the settings, runs one subcommand, says what went wrong in one line."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from idp.base.logs import configure_logs
from idp.cli.failure import CommandError
from idp.cli.process import uncollected
from idp.settings.check import SettingsError

#: The first word of a command, and the module that knows it, in the order of the help. Only that
#: module is loaded: what serves has no use for what migrates or imports families.
_ROOMS = {
    "config": "config",
    "db": "database",
    "serve": "serving",
    "worker": "working",
    "keys": "keys",
    "clients": "clients",
    "deliveries": "deliveries",
    "documents": "documents",
    "municipalities": "municipalities",
    "staff": "staff",
    "accounts": "accounts",
    "maintenance": "maintenance",
    "housekeeping": "upkeep",
}


def build_parser(words: Iterable[str] = tuple(_ROOMS)) -> argparse.ArgumentParser:
    """Build the parser of the commands that begin with these words."""
    parser = _bare_parser()
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")
    for word in words:
        import_module(f"idp.cli.{_ROOMS[word]}").add_commands(rooms)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused, 2 called wrongly."""
    with uncollected():
        options = _parse(sys.argv[1:] if arguments is None else arguments)
    configure_logs(level="WARNING", form="text")
    try:
        code: int = options.run(options) or 0
    except (SettingsError, CommandError) as error:
        sys.stderr.write(f"idp: {error}\n")
        return 1
    return code


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command; if the first word is none, let the whole parser say so."""
    rest = _bare_parser(add_help=False).parse_known_args(arguments)[1]
    parser = build_parser(rest[:1]) if rest[:1] and rest[0] in _ROOMS else build_parser()
    return parser.parse_args(arguments)


def _bare_parser(*, add_help: bool = True) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="idp", description="Kosodate ID: the provider's tools.", add_help=add_help
    )
    parser.add_argument(
        "--config", type=Path, help="settings file (else IDP_CONFIG, else ./config.toml)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
