"""`idp db`: bring the tables up to date, or tell whether they are."""

import argparse
from typing import Any

from alembic import command
from alembic.config import Config

from idp.cli.schema import MIGRATIONS, check_tables
from idp.settings.load import load_settings


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `db upgrade` and `db check`."""
    commands = rooms.add_parser("db", help="tables").add_subparsers(required=True)
    upgrade = commands.add_parser("upgrade", help="bring the tables up to date")
    upgrade.set_defaults(run=_upgrade)
    check = commands.add_parser("check", help="fail unless the tables are up to date")
    check.set_defaults(run=_check)


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for this database; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def _upgrade(options: argparse.Namespace) -> None:
    command.upgrade(alembic_config(load_settings(options.config).database.url), "head")
    print("The tables are up to date.")


def _check(options: argparse.Namespace) -> None:
    revision = check_tables(load_settings(options.config).database.url)
    print(f"The tables are up to date ({revision}).")
