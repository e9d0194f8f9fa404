"""Reading settings: a TOML file, then IDP_<SECTION>_<KEY>, secrets also from files."""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from idp.settings.check import SettingsError, check
from idp.settings.schema import Settings

ENVIRONMENT_PREFIX = "IDP_"
CONFIG_VARIABLE = "IDP_CONFIG"


def load_settings(path: Path | None = None) -> Settings:
    """Read, merge and check all settings.

    The file is `path`, else what IDP_CONFIG names, else ./config.toml if it exists.
    Variables of the environment win over the file. Unknown keys are an error.

    Raises:
        SettingsError: names the key and what to do.
    """
    file = path or _default_file()
    return build_settings(_read_toml(file) if file else {}, os.environ)


def announce_config(path: Path) -> None:
    """Let processes that this one starts read the same file."""
    os.environ[CONFIG_VARIABLE] = str(path.resolve())


def build_settings(table: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Build settings from a parsed file and an environment."""
    sections = get_type_hints(Settings)
    merged = _merge(table, environment, sections)
    built = {name: _build_section(name, kind, merged[name]) for name, kind in sections.items()}
    settings = Settings(**built)
    check(settings)
    return settings


def _default_file() -> Path | None:
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    usual = Path("config.toml")
    return usual if usual.exists() else None


def _read_toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist; copy config.example.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


def _merge(
    table: Mapping[str, Any], environment: Mapping[str, str], sections: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    unknown = sorted(set(table) - set(sections))
    if unknown:
        raise SettingsError(f"[{unknown[0]}] is no section; see config.example.toml")
    merged = {name: dict(table.get(name, {})) for name in sections}
    for variable, value in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == CONFIG_VARIABLE:
            continue
        section, _, key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("_")
        if section not in merged:
            raise SettingsError(f"{variable} names no section; see config.example.toml")
        merged[section][key] = value
    return merged


def _build_section(name: str, kind: Any, given: dict[str, Any]) -> Any:  # noqa: ANN401
    fields = {field.name: field for field in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in given.items():
        bare = key.removesuffix("_file")
        if key not in fields and bare in fields and fields[bare].metadata["secret"]:
            if bare in given:
                raise SettingsError(f"{name}.{bare} and {name}.{key} are both given; keep one")
            values[bare] = _read_secret(name, key, value)
        elif key in fields:
            values[key] = _convert(f"{name}.{key}", hints[key], value)
        else:
            raise SettingsError(f"{name}.{key} is unknown; see config.example.toml")
    for key, field in fields.items():
        if key not in values and field.default is dataclasses.MISSING:
            raise SettingsError(f"{name}.{key} is missing; {field.metadata['purpose']}")
    return kind(**values)


def _read_secret(section: str, key: str, path: object) -> str:
    try:
        return Path(str(path)).read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise SettingsError(f"{section}.{key}: the file cannot be read ({reason})") from None


def _convert(key: str, kind: Any, value: object) -> object:  # noqa: ANN401
    if kind is bool:
        return _to_bool(key, value)
    if kind is int:
        return _to_int(key, value)
    if kind is str:
        if not isinstance(value, str):
            raise SettingsError(f"{key} must be text in quotes")
        return value
    return _to_texts(key, value)


def _to_bool(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise SettingsError(f"{key} must be true or false")


def _to_int(key: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.lstrip("-").isdigit():
        return int(value)
    raise SettingsError(f"{key} must be a whole number")


def _to_texts(key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise SettingsError(f"{key} must be a list of texts")
