"""`idp keys`: the keys that sign tokens, and the master key that seals them."""

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any

from idp.cli import resealing
from idp.cli.context import opened
from idp.cli.failure import CommandError
from idp.domain.grants.key_rotation import (
    activate_key,
    ensure_keys,
    list_keys,
    publish_key,
    remove_key,
)
from idp.domain.grants.key_schedule import advance_keys, find_next_step
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.web.key_schedule import key_schedule


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `keys ensure|list|publish|activate|advance|remove|reseal`."""
    room = rooms.add_parser("keys", help="signing keys, master key")
    commands = room.add_subparsers(required=True)
    commands.add_parser("ensure", help="make what is missing").set_defaults(run=_ensure)
    commands.add_parser("list", help="list all").set_defaults(run=_list)
    commands.add_parser("advance", help="rotate by schedule").set_defaults(run=_advance)
    for name, run, purpose in (
        ("publish", _publish, "make the next key of an algorithm known, unused"),
        ("activate", _activate, "let the published key sign"),
    ):
        parser = commands.add_parser(name, help=purpose)
        parser.add_argument("algorithm")
        parser.set_defaults(run=run)
    remove = commands.add_parser("remove", help="take a key out at once (it leaked)")
    remove.add_argument("kid")
    remove.set_defaults(run=_remove)
    resealing.add_commands(commands)


def _ensure(options: argparse.Namespace) -> None:
    with opened(options) as context:
        made = ensure_keys(context.db, keys=context.keys, now=context.now)
    print("\n".join(made) or "Nothing was missing.")


def _list(options: argparse.Namespace) -> None:
    with opened(options) as context:
        keys = list_keys(context.db)
        schedule = key_schedule(context.settings)
    for key in keys:
        following = find_next_step(key, keys, schedule)
        coming = f"{following.step} {_write(following.at)}" if following else ""
        print(f"{key.kid}\t{key.alg}\t{key.state}\t{_write(key.created_at)}\t{coming}")


def _write(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def _publish(options: argparse.Namespace) -> None:
    with opened(options) as context:
        kid = publish_key(
            context.db,
            options.algorithm,
            keys=context.keys,
            actor=COMMAND_LINE,
            now=context.now,
        )
    if kid is None:
        raise CommandError("nothing published: unknown algorithm, or a key waits already")
    print(kid)


def _activate(options: argparse.Namespace) -> None:
    with opened(options) as context:
        wait = timedelta(seconds=context.settings.tokens.jwks_max_age_seconds)
        kid = activate_key(
            context.db,
            options.algorithm,
            published_for=wait,
            actor=COMMAND_LINE,
            now=context.now,
        )
    if kid is None:
        raise CommandError(f"no key of {options.algorithm} has been published for {wait} yet")
    print(kid)


def _advance(options: argparse.Namespace) -> None:
    with opened(options) as context:
        schedule = key_schedule(context.settings)
        done = advance_keys(context.db, schedule, keys=context.keys, now=context.now)
    print("\n".join(done) or "Nothing was due.")


def _remove(options: argparse.Namespace) -> None:
    with opened(options) as context:
        gone = remove_key(
            context.db, options.kid, keys=context.keys, actor=COMMAND_LINE, now=context.now
        )
    if not gone:
        raise CommandError("there is no such key, or it was removed before")
