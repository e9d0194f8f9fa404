"""`idp clients registration-token`: initial access tokens, with which services register."""

import argparse
from datetime import timedelta
from typing import Any
from uuid import UUID

from idp.cli.context import opened
from idp.cli.failure import CommandError
from idp.domain.grants.initial_access_tokens import (
    MAX_DAYS,
    MAX_USES,
    TokenOrder,
    TokenRefusal,
    create_initial_token,
    list_initial_tokens,
    revoke_initial_token,
)
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.protocol.scope import SUPPORTED, join_scope, parse_scope
from idp.protocol.self_registration import USUAL_SCOPES


def add_commands(clients: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `clients registration-token create|list|revoke`."""
    tokens = clients.add_parser("registration-token", help="initial access tokens (RFC 7591)")
    commands = tokens.add_subparsers(required=True)
    create = commands.add_parser("create", help="make one and print it, this once")
    create.add_argument("label", help="for whom it is")
    create.add_argument("--days", type=int, default=7, help=f"how long it works, 1 to {MAX_DAYS}")
    create.add_argument("--uses", type=int, default=1, help=f"registrations, 1 to {MAX_USES}")
    create.add_argument("--municipality", help="its services are this municipality's")
    create.add_argument(
        "--scope", default=join_scope(USUAL_SCOPES), help="what its services may ask for"
    )
    create.add_argument(
        "--legacy",
        action="store_true",
        help="its services may do without PKCE and name the token endpoint in assertions",
    )
    create.set_defaults(run=_create)
    commands.add_parser("list", help="list all").set_defaults(run=_list)
    revoke = commands.add_parser("revoke", help="end one; services that came with it stay")
    revoke.add_argument("token_id", type=UUID)
    revoke.set_defaults(run=_revoke)


def _create(options: argparse.Namespace) -> None:
    scopes = parse_scope(options.scope)
    if scopes is None or not set(scopes) <= set(SUPPORTED):
        raise CommandError(f"--scope must name scopes of ours: {' '.join(SUPPORTED)}")
    if not (1 <= options.days <= MAX_DAYS and 1 <= options.uses <= MAX_USES):
        raise CommandError(f"--days is from 1 to {MAX_DAYS}, --uses from 1 to {MAX_USES}")
    with opened(options) as context:
        order = TokenOrder(
            label=options.label,
            scopes=frozenset(scopes),
            expires_at=context.now + timedelta(days=options.days),
            uses=options.uses,
            municipality_code=options.municipality,
            is_legacy=options.legacy,
        )
        made = create_initial_token(context.db, order, actor=COMMAND_LINE, now=context.now)
        if isinstance(made, TokenRefusal):
            raise CommandError(f"registration token: {made}")
    print(f"token_id\t{made.id}")
    print(f"initial_access_token\t{made.token}\t(shown this once)")


def _list(options: argparse.Namespace) -> None:
    with opened(options) as context:
        for token in list_initial_tokens(context.db):
            state = "usable" if token.is_usable(now=context.now) else "ended"
            uses = f"{token.uses_left} left, {token.client_count} registered"
            print(f"{token.id}\t{state}\t{uses}\t{token.label}")


def _revoke(options: argparse.Namespace) -> None:
    with opened(options) as context:
        done = revoke_initial_token(
            context.db, options.token_id, actor=COMMAND_LINE, now=context.now
        )
    if not done:
        raise CommandError("there is no such token, or it has ended already")
