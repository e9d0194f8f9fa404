"""`idp documents`: publish terms and privacy policy."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

from idp.base.dates import TOKYO, parse_date
from idp.cli.context import Context, opened
from idp.cli.failure import CommandError
from idp.domain.documents.versions import (
    KINDS,
    NewText,
    NewVersion,
    PublishedVersion,
    PublishFault,
    list_versions,
    publish,
)
from idp.domain.grants.security_events import ChangedDocument, tell_of_document
from idp.domain.staff.municipalities import find_municipality
from idp.domain.upkeep.audit import COMMAND_LINE


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `documents publish` and `documents list`."""
    commands = rooms.add_parser("documents", help="terms and privacy policy").add_subparsers(
        required=True
    )
    new = commands.add_parser("publish", help="publish a version; it is never changed again")
    new.add_argument("municipality", help="code of the municipality")
    new.add_argument("kind", choices=sorted(KINDS))
    new.add_argument(
        "texts", nargs="+", metavar="LANGUAGE=FILE", help="ja=terms.ja.md en=terms.en.md"
    )
    new.add_argument(
        "--summary",
        action="append",
        default=[],
        metavar="LANGUAGE=TEXT",
        help="what changed, for people",
    )
    new.add_argument("--from", dest="since", help="first day (2026-12-01); else at once")
    new.add_argument(
        "--minor", action="store_true", help="a small correction: nobody is asked again"
    )
    new.set_defaults(run=_publish)
    shown = commands.add_parser("list", help="list the versions in force and before")
    shown.add_argument("municipality")
    shown.set_defaults(run=_list)


def _publish(options: argparse.Namespace) -> None:
    summaries = dict(_split(pair) for pair in options.summary)
    texts = tuple(
        NewText(language, _read(Path(file)), summaries.get(language))
        for language, file in (_split(pair) for pair in options.texts)
    )
    with opened(options) as context:
        version = NewVersion(
            kind=KINDS[options.kind],
            texts=texts,
            is_material=not options.minor,
            effective_at=_first_moment(options.since, context.now),
        )
        town = _require_municipality(context, options.municipality)
        outcome = publish(context.db, town, version, actor=COMMAND_LINE, now=context.now)
        if isinstance(outcome, PublishedVersion):
            changed = ChangedDocument(town, options.kind, outcome.number, version.effective_at)
            tell_of_document(context.db, changed, keys=context.keys, now=context.now)
    if isinstance(outcome, PublishFault):
        raise CommandError(f"not published: {outcome}")
    print(f"Published version {outcome.number}.")


def _list(options: argparse.Namespace) -> None:
    with opened(options) as context:
        town = _require_municipality(context, options.municipality)
        for name, kind in KINDS.items():
            for number, since in list_versions(context.db, town, kind, now=context.now):
                print(f"{name}\t{number}\t{since.astimezone(TOKYO):%Y-%m-%d}")


def _require_municipality(context: Context, code: str) -> Any:  # noqa: ANN401 - an id
    found = find_municipality(context.db, code)
    if found is None:
        raise CommandError(f"there is no municipality {code}")
    return found


def _split(pair: str) -> tuple[str, str]:
    language, equals, value = pair.partition("=")
    if not (language and equals and value):
        raise CommandError(f"{pair}: write LANGUAGE=VALUE, for example ja=terms.ja.md")
    return language, value


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read ({type(error).__name__})") from None


def _first_moment(text: str | None, now: datetime) -> datetime:
    """Read a day as midnight in Japan."""
    if text is None:
        return now
    try:
        day = parse_date(text)
    except ValueError:
        raise CommandError(f"{text} is no date") from None
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO)
