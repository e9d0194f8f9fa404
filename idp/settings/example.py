"""config.example.toml, written from the schema, so that it is never behind it."""

import dataclasses
import json
import textwrap
from typing import Any, get_type_hints

from idp.settings.load import ENVIRONMENT_PREFIX
from idp.settings.schema import Settings

_EXAMPLES: dict[str, object] = {
    "provider.issuer": "https://login.kakuu.example",
    "database.url": "sqlite:////var/lib/kosodate/idp.db",
    "mail.from_address": "no-reply@login.kakuu.example",
}
_HEAD = """\
# Settings of Kosodate ID. Copy this file to config.toml.
# Each key may also come from the environment (the name stands beside it), and a key marked
# "secret" from a file: write <key>_file = "/path" instead. An unknown key stops the start.
"""


def write_example() -> str:
    """Return the text of config.example.toml: every key with purpose, bounds and default."""
    lines = [_HEAD]
    for name, kind in get_type_hints(Settings).items():
        purpose = (kind.__doc__ or "").partition(": ")[2]
        lines.append(f"[{name}]  # {purpose}")
        lines.extend(_write_key(name, item) for item in dataclasses.fields(kind))
        lines.append("")
    return "\n".join(lines)


def _write_key(section: str, item: Any) -> str:  # noqa: ANN401
    details = item.metadata
    notes = [f"{ENVIRONMENT_PREFIX}{section.upper()}_{item.name.upper()}"]
    if details["low"] is not None:
        notes.append(f"{details['low']} to {details['high']}")
    if details["choices"]:
        notes.append(" | ".join(details["choices"]))
    if details["secret"]:
        notes.append(f"secret: {item.name}_file")
    comment = textwrap.fill(
        f"{details['purpose']} ({', '.join(notes)})",
        96,
        initial_indent="# ",
        subsequent_indent="# ",
    )
    return f"{comment}\n{_assignment(section, item)}"


def _assignment(section: str, item: Any) -> str:  # noqa: ANN401
    key = f"{section}.{item.name}"
    if item.default is not dataclasses.MISSING:
        return f"#{item.name} = {json.dumps(_plain(item.default), ensure_ascii=False)}"
    if _is_secret(item) and key not in _EXAMPLES:
        return f'{item.name}_file = "/etc/kosodate/{item.name}"'
    return f"{item.name} = {json.dumps(_EXAMPLES[key])}"


def _is_secret(item: Any) -> bool:  # noqa: ANN401
    """Whether the key is a secret that may come from a file."""
    return bool(item.metadata["secret"])


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
