"""`idp municipalities`: the towns, their contact block, and what each decides for its families."""

import argparse
from dataclasses import fields, replace
from typing import Any

from idp.cli.context import opened
from idp.cli.failure import CommandError
from idp.domain.people.sites import MunicipalityTexts
from idp.domain.staff.municipalities import (
    MunicipalityFault,
    MunicipalityModes,
    create_municipality,
    find_municipality,
    find_texts_and_modes,
    update_municipality,
)
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.households import SecondStep

_TEXTS = tuple(item.name for item in fields(MunicipalityTexts))
_FLAGS = {
    "asks_activation_fact": "ask one more fact at the first activation",
    "asks_address_twice": "ask for the address twice at the reset request",
    "shares_children": "let services have birthdate and status of children",
}
_NUMBERS = {
    "trusted_device_days": "longest time a device may skip the mailed code; 0: not offered",
    "lock_minutes": "after how long a lock for wrong passwords ends",
}


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `municipalities add` and `municipalities set`."""
    towns = rooms.add_parser("municipalities", help="tenants").add_subparsers(required=True)
    for name, run, purpose in (
        ("add", _add, "enter a municipality; every text is needed"),
        ("set", _set, "change what is named, leave the rest"),
    ):
        town = towns.add_parser(name, help=purpose)
        town.add_argument("code", help="全国地方公共団体コード, six digits")
        for text in _TEXTS:
            town.add_argument(_option(text), required=name == "add")
        _add_modes(town)
        town.set_defaults(run=run)


def _add_modes(town: argparse.ArgumentParser) -> None:
    town.add_argument(
        "--second-step",
        type=SecondStep,
        choices=list(SecondStep),
        help="always, or only for people who want it",
    )
    for name, purpose in _FLAGS.items():
        town.add_argument(_option(name), action=argparse.BooleanOptionalAction, help=purpose)
    for name, purpose in _NUMBERS.items():
        town.add_argument(_option(name), type=int, help=purpose)


def _add(options: argparse.Namespace) -> None:
    texts = MunicipalityTexts(**{name: getattr(options, name) for name in _TEXTS})
    modes = replace(MunicipalityModes(), **_given_modes(options))
    with opened(options) as context:
        outcome = create_municipality(
            context.db, options.code, texts, modes, actor=COMMAND_LINE, now=context.now
        )
        if isinstance(outcome, MunicipalityFault):
            raise CommandError(f"municipality {options.code}: {outcome}")
    print(outcome)


def _set(options: argparse.Namespace) -> None:
    given = {name: getattr(options, name) for name in _TEXTS}
    with opened(options) as context:
        town = find_municipality(context.db, options.code)
        if town is None:
            raise CommandError(f"there is no municipality {options.code}")
        texts, modes = find_texts_and_modes(context.db, town)
        fault = update_municipality(
            context.db,
            town,
            replace(texts, **{name: value for name, value in given.items() if value is not None}),
            replace(modes, **_given_modes(options)),
            actor=COMMAND_LINE,
            now=context.now,
        )
        if fault is not None:
            raise CommandError(f"municipality {options.code}: {fault}")
    print("Changed; it holds from the next sign-in on.")


def _given_modes(options: argparse.Namespace) -> dict[str, Any]:
    modes = {name: getattr(options, name) for name in ("second_step", *_FLAGS, *_NUMBERS)}
    return {name: value for name, value in modes.items() if value is not None}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
