"""`idp clients`: relying parties, also kept as files of client metadata (RFC 7591)."""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from idp.app import build_http
from idp.cli import registration_tokens
from idp.cli.context import Context, opened
from idp.cli.failure import CommandError
from idp.domain.grants.client_addresses import gather
from idp.domain.grants.client_console import Checked, RefusedClientError, replace_all
from idp.domain.grants.client_export import export_client
from idp.domain.grants.client_registry import disable_client, enable_client
from idp.domain.grants.client_secrets import end_old_secrets, rotate_secret
from idp.domain.grants.client_writing import RegisteredClientWithSecret, RegistrationRefusal
from idp.domain.grants.clients import find_any_client, list_clients
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.protocol.addresses import AddressRules
from idp.protocol.client_file import MAX_CLIENTS, FileFault, read_file
from idp.protocol.registration import MetadataError, Registration, parse_registration
from idp.settings.load import load_settings

_OVERLAP = timedelta(days=7)
#: What to do about a refusal that its name alone does not tell.
_ADVICE = {
    RegistrationRefusal.SECRET_RETIRED: (
        "its client_secret was replaced and has ended, and does not come back: take it out of the "
        "file, or run `idp clients rotate-secret`"
    ),
}


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add import, export, list, rotate-secret, disable and the like, and registration-token."""
    commands = rooms.add_parser("clients", help="relying parties").add_subparsers(required=True)
    take = commands.add_parser("import", help="register or update from a JSON file")
    take.add_argument("file", type=Path, help="one client, or a list of clients")
    take.set_defaults(run=_import)
    commands.add_parser("list", help="list all").set_defaults(run=_list)
    everything = commands.add_parser("export-all", help="print all as one such file")
    everything.set_defaults(run=_export_all)
    for name, run, purpose in (
        ("export", _export, "print a client as such a file, without secrets"),
        ("rotate-secret", _rotate, "make a second secret; the first holds on for 7 days"),
        ("end-old-secrets", _end_old, "void all secrets but the newest"),
        ("disable", _disable, "stop a client and void what it was granted"),
        ("enable", _enable, "let it be used again"),
    ):
        parser = commands.add_parser(name, help=purpose)
        parser.add_argument("client_id")
        parser.set_defaults(run=run)
    registration_tokens.add_commands(commands)


def _import(options: argparse.Namespace) -> None:
    """Take a file as a whole: what is printed was written, and else nothing was."""
    settings = load_settings(options.config)
    documents = _read_documents(options.file)
    rules = AddressRules(allow_loopback_http=settings.dev.allow_http)
    found = [_parse(place, document, rules) for place, document in enumerate(documents)]
    with opened(options) as context:
        known = [each.client_id and find_any_client(context.db, each.client_id) for each in found]
    http = build_http(settings)
    checked = [
        Checked(each, gather(each.metadata, http, client or None))
        for each, client in zip(found, known, strict=True)
    ]
    with opened(options) as context:
        made = _import_all(context, checked)
    for one in made:
        print(f"client_id\t{one.client.client_id}")
        if one.secret is not None:
            print(f"client_secret\t{one.secret}\t(shown this once)")


def _read_documents(path: Path) -> tuple[dict[str, object], ...]:
    try:
        documents = read_file(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read ({type(error).__name__})") from None
    match documents:
        case FileFault.NOT_JSON:
            raise CommandError(f"{path} cannot be read as JSON")
        case FileFault.NO_CLIENTS:
            raise CommandError(
                f"{path} must hold one object, or a list of 1 to {MAX_CLIENTS} objects"
            )
        case tuple():
            return documents


def _parse(place: int, document: dict[str, object], rules: AddressRules) -> Registration:
    try:
        return parse_registration(document, rules=rules)
    except MetadataError as error:
        faults = ", ".join(f"{fault.field}: {fault.reason}" for fault in error.faults)
        raise CommandError(f"{_name(place, document.get('client_id'))}: {faults}") from None


def _name(place: int, client_id: object) -> str:
    """Say which client of a file is meant."""
    return f"client {place + 1} of the file ({client_id or 'without client_id'})"


def _import_all(
    context: Context, checked: Sequence[Checked]
) -> tuple[RegisteredClientWithSecret, ...]:
    try:
        return replace_all(
            context.db, checked, actor=COMMAND_LINE, keys=context.keys, now=context.now
        )
    except RefusedClientError as error:
        refusal = error.refusal
        advice = f" ({_ADVICE[refusal]})" if refusal in _ADVICE else ""
        name = _name(error.place, checked[error.place].registration.client_id)
        raise CommandError(f"{name}: {refusal}{advice}") from None


def _list(options: argparse.Namespace) -> None:
    with opened(options) as context:
        for client in list_clients(context.db):
            print(f"{client.client_id}\t{client.name_in('en')}")


def _export(options: argparse.Namespace) -> None:
    with opened(options) as context:
        client = find_any_client(context.db, options.client_id)
        if client is None:
            raise CommandError("there is no such client")
        document = export_client(context.db, client)
    print(json.dumps(document, ensure_ascii=False, indent=2))


def _export_all(options: argparse.Namespace) -> None:
    with opened(options) as context:
        clients = list_clients(context.db)
        documents = [export_client(context.db, client) for client in clients]
    print(json.dumps(documents, ensure_ascii=False, indent=2))


def _rotate(options: argparse.Namespace) -> None:
    with opened(options) as context:
        outcome = rotate_secret(
            context.db,
            options.client_id,
            overlap=_OVERLAP,
            actor=COMMAND_LINE,
            keys=context.keys,
            now=context.now,
        )
    if isinstance(outcome, RegistrationRefusal):
        raise CommandError(f"client {options.client_id}: {outcome}")
    print(f"client_secret\t{outcome.secret}\t(shown this once)")


def _end_old(options: argparse.Namespace) -> None:
    _change(options, end_old_secrets)


def _disable(options: argparse.Namespace) -> None:
    _change(options, disable_client)


def _enable(options: argparse.Namespace) -> None:
    _change(options, enable_client)


def _change(options: argparse.Namespace, operation: Callable[..., bool]) -> None:
    with opened(options) as context:
        done = operation(context.db, options.client_id, actor=COMMAND_LINE, now=context.now)
    if not done:
        raise CommandError("there is no such client, or nothing to change")
