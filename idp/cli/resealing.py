"""`idp keys reseal`: seal anew what is sealed under the master key before."""

import argparse
from collections import Counter
from typing import Any

from idp.cli.context import opened
from idp.cli.failure import CommandError
from idp.domain.backstage.resealing import KINDS, Page, SealedKind, read_page, write_page

#: Ids of unreadable rows that are printed for each kind.
_SHOWN = 10


def add_commands(commands: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `keys reseal`."""
    reseal = commands.add_parser("reseal", help="after a change of the master key")
    reseal.add_argument("--check", action="store_true", help="count only; write nothing")
    reseal.set_defaults(run=_reseal)


def _reseal(options: argparse.Namespace) -> None:
    """Go through every kind, page by page; interrupted, it is begun again."""
    open_counts = {kind.name: _go_through(options, kind) for kind in KINDS}
    total = Counter[str]()
    for counts in open_counts.values():
        total.update(counts)
    if total["unreadable"]:
        raise CommandError(
            f"{total['unreadable']} values can be opened by no key of these settings: look for "
            "the master key they were made under, and name it as secrets.previous_master_key"
        )
    if options.check and total["old"]:
        raise CommandError(
            f"{total['old']} values are sealed under the key before: run `idp keys reseal`"
        )
    if total["missed"]:
        raise CommandError(f"{total['missed']} values changed meanwhile: run it once more")
    print("Everything is sealed under the present master key.")


def _go_through(options: argparse.Namespace, kind: SealedKind) -> Counter[str]:
    counts: Counter[str] = Counter()
    after, is_more = None, True
    while is_more:
        page, missed = _take_page(options, kind, after)
        counts.update(
            current=page.current_count,
            old=len(page.renewals),
            unreadable=len(page.unreadable),
            missed=missed,
        )
        for row in page.unreadable[:_SHOWN]:
            print(f"unreadable\t{kind.name}\t{row}")
        after, is_more = page.end, page.end is not None
    done = "to seal anew" if options.check else "sealed anew"
    renewed = counts["old"] - counts["missed"]
    print(
        f"{kind.name}\t{renewed} {done}, {counts['current']} as they should be, "
        f"{counts['unreadable']} unreadable"
    )
    return counts


def _take_page(
    options: argparse.Namespace,
    kind: SealedKind,
    after: Any,  # noqa: ANN401 - a key
) -> tuple[Page, int]:
    """Read a page, and write it unless this is a check; each page is a transaction."""
    with opened(options) as context:
        page = read_page(context.db, kind, after=after, sealer=context.keys.sealer)
        missed = 0 if options.check else write_page(context.db, kind, page)
    return page, missed
