"""`idp accounts`: issue accounts from a file, send the notice again, see who has not started."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idp.cli.context import Context, opened
from idp.cli.failure import CommandError
from idp.domain.staff.applications import FamilyApplication
from idp.domain.staff.delivery import export_waiting
from idp.domain.staff.desk import Desk, Post
from idp.domain.staff.fields import TypedDate
from idp.domain.staff.issuance import AlreadyRegistered, issue_family, register_family
from idp.domain.staff.municipalities import find_municipality
from idp.domain.staff.registration import RegisteredFamily
from idp.domain.staff.resending import send_again_to_waiting
from idp.domain.staff.typed import (
    TypedChild,
    TypedFamily,
    TypedPerson,
    TypedProxy,
    parse_family,
)
from idp.domain.upkeep.audit import COMMAND_LINE

_PERSON_KEYS = (
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "email",
    "phone",
    "locale",
    "external_key",
)
_FAMILY_KEYS = frozenset({"guardian", "application_number", "intake_route", "children", "proxies"})


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `accounts issue|waiting|send-again`."""
    commands = rooms.add_parser("accounts", help="families").add_subparsers(required=True)
    issue = commands.add_parser(
        "issue", help="register families from a JSON file and issue their accounts"
    )
    issue.add_argument("municipality", help="code of the municipality")
    issue.add_argument("file", type=Path, help="one family, or a list; see docs/operate.md")
    issue.add_argument("--check", action="store_true", help="only say what would be wrong")
    issue.set_defaults(run=_issue)
    for name, run, purpose in (
        ("waiting", _waiting, "list who was issued an account and has not started"),
        ("send-again", _send_again, "mail the notice again to all of them"),
    ):
        parser = commands.add_parser(name, help=purpose)
        parser.add_argument("municipality")
        parser.set_defaults(run=run)


def _issue(options: argparse.Namespace) -> None:
    """All families of the file, or none: a mistake in one of them writes nothing."""
    documents = _read_documents(options.file)
    with opened(options) as context:
        desk = _open_desk(context, options.municipality)
        applications = [
            _parse(document, number, context) for number, document in enumerate(documents, 1)
        ]
        if options.check:
            print(f"{len(applications)} families could be registered.")
            return
        for number, application in enumerate(applications, 1):
            print(f"{number}\t{_take_in(context, desk, application, number)}")


def _take_in(context: Context, desk: Desk, application: FamilyApplication, number: int) -> str:
    outcome = register_family(context.db, desk, application, now=context.now)
    match outcome:
        case RegisteredFamily():
            issued = issue_family(context.db, desk, outcome, post=_post(context), now=context.now)
            return f"{outcome.guardian_id}\t{issued[outcome.guardian_id]}"
        case AlreadyRegistered(account_id):
            return f"{account_id}\talready_registered"
        case fault:
            raise CommandError(f"family {number}: {fault}; nothing was written")


def _waiting(options: argparse.Namespace) -> None:
    with opened(options) as context:
        desk = _open_desk(context, options.municipality)
        for each in export_waiting(context.db, desk, now=context.now):
            problem = each.problem or ""
            print(f"{each.account_id}\t{each.stage}\t{each.notice_count}\t{problem}")


def _send_again(options: argparse.Namespace) -> None:
    with opened(options) as context:
        desk = _open_desk(context, options.municipality)
        count = send_again_to_waiting(context.db, desk, post=_post(context), now=context.now)
    print(f"{count} notices are on their way.")


def _open_desk(context: Context, code: str) -> Desk:
    town = find_municipality(context.db, code)
    if town is None:
        raise CommandError(f"there is no municipality {code}")
    return Desk(municipality_id=town, actor=COMMAND_LINE)


def _post(context: Context) -> Post:
    return Post(
        keys=context.keys,
        reset_page_url=f"{context.settings.provider.issuer}/password/reset",
    )


def _read_documents(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as JSON ({type(error).__name__})") from None
    documents = content if isinstance(content, list) else [content]
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise CommandError(f"{path} must hold one object, or a list of objects")
    return documents


def _parse(document: Mapping[str, Any], number: int, context: Context) -> FamilyApplication:
    unknown = sorted(set(document) - _FAMILY_KEYS)
    if unknown or not isinstance(document.get("guardian"), dict):
        wrong = unknown[0] if unknown else "guardian"
        raise CommandError(f"family {number}: {wrong} is unknown or missing")
    parsed = parse_family(_typed(document), now=context.now)
    if isinstance(parsed, FamilyApplication):
        return parsed
    faults = ", ".join(f"{fault.field}: {fault.reason}" for fault in parsed)
    raise CommandError(f"family {number}: {faults}; nothing was written")


def _typed(document: Mapping[str, Any]) -> TypedFamily:
    children = enumerate(_objects(document, "children"), 1)
    proxies = enumerate(_objects(document, "proxies"), 1)
    return TypedFamily(
        guardian=_person("", document["guardian"]),
        application_number=_text(document, "application_number"),
        intake_route=_text(document, "intake_route") or "online",
        children=tuple(
            TypedChild(
                prefix=f"child{number}_",
                name=_text(child, "name"),
                name_kana=_text(child, "name_kana"),
                birthdate=_date(child, "birthdate"),
            )
            for number, child in children
        ),
        proxies=tuple(
            TypedProxy(
                person=_person(f"proxy{number}_", proxy),
                relationship=_text(proxy, "relationship"),
                until=_date(proxy, "until"),
            )
            for number, proxy in proxies
        ),
    )


def _person(prefix: str, document: Mapping[str, Any]) -> TypedPerson:
    texts = {key: _text(document, key) for key in _PERSON_KEYS}
    return TypedPerson(prefix=prefix, **texts | {"locale": texts["locale"] or "ja"})


def _objects(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = document.get(key, [])
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key, "")
    return value if isinstance(value, str) else ""


def _date(document: Mapping[str, Any], key: str) -> TypedDate:
    """Take 2024-05-12 apart; what is wrong with it is said like in the form."""
    year, _, rest = _text(document, key).partition("-")
    month, _, day = rest.partition("-")
    return TypedDate(year=year, month=month, day=day)
