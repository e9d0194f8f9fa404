"""The command line both relying parties share: a settings file, `serve`, and their own commands."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from clients.kit.server import ServerError, default_port, serve
from clients.kit.settings import Settings, SettingsError

#: Adds the options of a command, and does it; the answer is what to print.
AddOptions = Callable[[argparse.ArgumentParser], None]
Run = Callable[[Path, argparse.Namespace], str]


class CommandError(Exception):
    """A command that cannot be done; the message says what to do."""


@dataclass(frozen=True)
class Command:
    """One command of a relying party."""

    help: str
    add_options: AddOptions
    run: Run


@dataclass(frozen=True)
class Program:
    """What `python -m clients.<name>` needs to know."""

    name: str
    port: int
    load: Callable[[Path], Settings]
    factory: Callable[[Path], Flask]
    commands: Mapping[str, Command]


def run_program(program: Program, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit status."""
    options = _parser(program).parse_args(arguments)
    try:
        if options.command not in program.commands:
            settings = program.load(options.config)
            port = options.port or default_port(settings.base_url, program.port)
            serve(program.factory, options.config, host=options.host, port=port)
            return 0
        said = program.commands[options.command].run(options.config, options)
    except (SettingsError, CommandError, ServerError) as error:
        sys.stderr.write(f"{program.name}: {error}\n")
        return 2
    sys.stdout.write(f"{said}\n")
    return 0


def _parser(program: Program) -> argparse.ArgumentParser:
    """Take the shared options before or after the command; without one, serve."""
    parser = argparse.ArgumentParser(prog=f"python -m clients.{program.name}")
    parser.add_argument("--config", type=Path, default=Path(f"{program.name}.toml"))
    _add_address(parser, host="127.0.0.1", port=None)
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--config", type=Path, help="the settings file")
    commands = parser.add_subparsers(dest="command")
    served = commands.add_parser("serve", parents=[shared], help="serve the pages (the default)")
    _add_address(served, host=argparse.SUPPRESS, port=argparse.SUPPRESS)
    for name, command in program.commands.items():
        command.add_options(commands.add_parser(name, parents=[shared], help=command.help))
    return parser


def _add_address(parser: argparse.ArgumentParser, *, host: str, port: object) -> None:
    parser.add_argument("--host", default=host, help="the address to listen on")
    parser.add_argument("--port", default=port, type=int, help="the port to listen on")
