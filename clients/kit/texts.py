"""The words on pages and in notices, by key and language."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("ja", "en")
#: The language the others are made from.
SOURCE_LANGUAGE = "ja"


@dataclass(frozen=True)
class Texts:
    """Every catalogue of one program: language → key → text."""

    catalogues: Mapping[str, Mapping[str, str]]

    def get(self, lang: str, key: str, **values: object) -> str:
        """Return a text with its values filled in.

        A text that depends on a count has the keys `….one` and `….other`, chosen by `n`.
        """
        catalogue = self.catalogues[lang]
        if "n" in values and key not in catalogue:
            key = f"{key}.one" if values["n"] == 1 else f"{key}.other"
        return catalogue[key].format_map(values)


def load_texts(folders: Iterable[Path]) -> Texts:
    """Read `{lang}.toml` of each folder; a key that stands twice is a mistake."""
    catalogues: dict[str, dict[str, str]] = {lang: {} for lang in LANGUAGES}
    for folder in folders:
        for lang in LANGUAGES:
            source = (folder / f"{lang}.toml").read_text(encoding="utf-8")
            for key, text in _flat(tomllib.loads(source)):
                assert key not in catalogues[lang], f"{folder}: {key} stands twice"
                catalogues[lang][key] = text
    return Texts(catalogues)


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            assert isinstance(value, str), f"{prefix}{name} is not a text"
            yield f"{prefix}{name}", value
