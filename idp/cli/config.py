"""`idp config`: the example file, new secrets, and whether the settings can be used."""

import argparse
import secrets
from typing import Any

from idp.base.secret import to_base64url
from idp.settings.example import write_example
from idp.settings.load import load_settings


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `config example`, `config secrets` and `config check`."""
    commands = rooms.add_parser("config", help="settings").add_subparsers(required=True)
    example = commands.add_parser("example", help="print config.example.toml")
    example.set_defaults(run=_print_example)
    fresh = commands.add_parser("secrets", help="print a [secrets] section with new keys")
    fresh.set_defaults(run=_print_secrets)
    check = commands.add_parser("check", help="read the settings and say whether they hold")
    check.set_defaults(run=_check)


def _print_example(_options: argparse.Namespace) -> None:
    print(write_example(), end="")


def _print_secrets(_options: argparse.Namespace) -> None:
    print("[secrets]  # keep this file readable by the service alone, and a copy elsewhere")
    for name in ("master_key", "subject_key", "password_pepper"):
        print(f'{name} = "{to_base64url(secrets.token_bytes(32))}"')


def _check(options: argparse.Namespace) -> None:
    settings = load_settings(options.config)
    print(f"The settings hold; the issuer is {settings.provider.issuer}")
