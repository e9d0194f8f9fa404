"""The settings of a relying party: one TOML file, checked when the program starts."""

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_OFFICE_TEXTS = ("name", "office", "hours")
_KEY_BYTES = 32


class SettingsError(Exception):
    """The file cannot be used; the message says which key and what to write there."""


@dataclass(frozen=True)
class Office:
    """The municipality as families know it; texts by language."""

    code: str
    tel: str
    name: Mapping[str, str]
    office: Mapping[str, str]
    hours: Mapping[str, str]


@dataclass(frozen=True)
class Settings:
    """What every relying party needs to know."""

    issuer: str
    client_id: str
    client_secret: str
    base_url: str
    database: Path
    session_key: bytes
    office: Office


def is_allowed_url(url: str) -> bool:
    """Tell whether we talk to this address: https, or plain http on this very machine."""
    parts = urlsplit(url)
    if parts.username or parts.password or not parts.hostname:
        return False
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS


def load(path: Path, *, section: str) -> tuple[Settings, Mapping[str, Any]]:
    """Read a file; return the shared settings and the application's own, unchecked section.

    Paths in the file are relative to the file.

    Raises:
        SettingsError: what is wrong and what to write instead.
    """
    table = _read(path)
    own = _take(table, section, dict, default={})
    office = _office(_take(table, "municipality", dict))
    settings = Settings(
        issuer=_url(table, "issuer"),
        client_id=_take(table, "client_id", str),
        client_secret=_secret(table, path.parent),
        base_url=_base_url(table),
        database=path.parent / _take(table, "database", str),
        session_key=_session_key(path.parent / _take(table, "session_key_file", str)),
        office=office,
    )
    refuse_unknown(table, where="the file")
    return settings, own


def refuse_unknown(table: Mapping[str, Any], *, where: str) -> None:
    """Refuse what nobody reads: a misspelt key must not be silently ignored."""
    if table:
        raise SettingsError(f"{where}: unknown key {min(table)!r}; remove it or correct it")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; copy config.example.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None


def _take(table: dict[str, Any], key: str, kind: type, default: object = None) -> Any:  # noqa: ANN401
    value = table.pop(key, default)
    if value is None:
        raise SettingsError(f"{key} is missing; see config.example.toml")
    if not isinstance(value, kind) or value == "":
        raise SettingsError(f"{key} must be a {kind.__name__} and not empty")
    return value


def _url(table: dict[str, Any], key: str) -> str:
    url: str = _take(table, key, str)
    parts = urlsplit(url)
    if not is_allowed_url(url) or parts.query or parts.fragment or url != url.strip():
        raise SettingsError(
            f"{key} must be an https URL without query (http only on 127.0.0.1, for a trial)"
        )
    return url


def _base_url(table: dict[str, Any]) -> str:
    url = _url(table, "base_url")
    if urlsplit(url).path:
        raise SettingsError("base_url must end after the host, without a slash or a path")
    return url


def _secret(table: dict[str, Any], folder: Path) -> str:
    inline, file = table.pop("client_secret", None), table.pop("client_secret_file", None)
    if (inline is None) == (file is None):
        raise SettingsError("write exactly one of client_secret and client_secret_file")
    if inline is not None:
        return str(_take({"client_secret": inline}, "client_secret", str))
    name: str = _take({"client_secret_file": file}, "client_secret_file", str)
    try:
        secret = (folder / name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"client_secret_file: {error.strerror}: {folder / name}") from None
    if not secret:
        raise SettingsError(f"client_secret_file is empty: {folder / name}")
    return secret


def _session_key(path: Path) -> bytes:
    """Read the key, or make it at the first start, readable by its owner only."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _session_key(path)
    else:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
    key = path.read_bytes().strip()
    if len(key) < _KEY_BYTES:
        raise SettingsError(f"session_key_file: {path} is too short; delete it to get a new one")
    return key


def _office(table: dict[str, Any]) -> Office:
    code = _take(table, "code", str)
    if not re.fullmatch(r"[0-9]{6}", code):
        raise SettingsError("municipality.code must be six digits")
    texts = {
        name: {lang: _take(table, f"{name}_{lang}", str) for lang in ("ja", "en")}
        for name in _OFFICE_TEXTS
    }
    office = Office(code=code, tel=_take(table, "tel", str), **texts)
    refuse_unknown(table, where="[municipality]")
    return office
