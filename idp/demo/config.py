"""The settings files of the demo: the provider's and those of both relying parties."""

import json
from collections.abc import Mapping

from idp.base.secret import new_token
from idp.demo.folder import DataFolder
from idp.demo.kakuu import MUNICIPALITY_CODE, OFFICE
from idp.demo.ports import LOOPBACK, Ports
from idp.demo.private import write_private

#: A value of a settings file; a table is a section.
Value = str | int | bool
Table = Mapping[str, Value | Mapping[str, Value]]


def base_url(port: int) -> str:
    """Return the address of a part of the demo, without a final slash."""
    return f"http://{LOOPBACK}:{port}"


def write_provider_settings(folder: DataFolder, ports: Ports) -> None:
    """Write the provider's settings with new secrets, unless they stand there already.

    Data and secrets belong together: other secrets would void every password and `sub`.
    """
    if folder.settings.exists():
        return
    table: Table = {
        "provider": {
            "issuer": base_url(ports.provider),
            "default_municipality": MUNICIPALITY_CODE,
        },
        # One process answers soonest and is enough for one computer; the demo starts the worker.
        "server": {"host": LOOPBACK, "port": ports.provider, "workers": 1, "worker": False},
        "database": {"url": f"sqlite:///{folder.database}"},
        "secrets": {
            "master_key": new_token(),
            "subject_key": new_token(),
            "password_pepper": new_token(),
        },
        "mail": {
            "host": LOOPBACK,
            "port": ports.smtp,
            "security": "none",
            "from_address": "noreply@kakuu.example.jp",
            "per_minute": 6000,
        },
        "log": {"form": "text"},
        "dev": {"allow_http": True},
    }
    write_private(folder.settings, to_toml(table))


def write_client_settings(
    folder: DataFolder, name: str, *, client_id: str, base: str, issuer: str, own: Table
) -> None:
    """Write the settings of one relying party; its secret lies beside it in a file of its own.

    `own` are the sections only this one has.
    """
    table: Table = {
        "issuer": issuer,
        "client_id": client_id,
        "client_secret_file": f"{name}.secret",
        "base_url": base,
        "database": f"{name}.sqlite3",
        "session_key_file": f"{name}.key",
        "municipality": {"code": MUNICIPALITY_CODE} | dict(OFFICE),
        **own,
    }
    write_private(folder.root / f"{name}.toml", to_toml(table))


def to_toml(table: Table) -> str:
    """Write a table as TOML: the plain keys first, then one section for each inner table."""
    plain = [f"{key} = {_value(value)}" for key, value in table.items() if _is_plain(value)]
    sections = [
        "\n".join([f"[{name}]", *(f"{key} = {_value(value)}" for key, value in section.items())])
        for name, section in table.items()
        if isinstance(section, Mapping)
    ]
    return "\n\n".join(part for part in ("\n".join(plain), *sections) if part) + "\n"


def _is_plain(value: Value | Mapping[str, Value]) -> bool:
    return not isinstance(value, Mapping)


def _value(value: object) -> str:
    """Return a value as TOML; its strings, whole numbers and truths are written as in JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
