"""The words people read: message catalogues by key, dates and times as they are written."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.dates import format_date as babel_date
from markupsafe import escape

from idp.base.dates import TOKYO

#: The language every other one falls back to, and the one that is written first.
SOURCE_LANGUAGE = "ja"

_PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})
#: First days of the eras a living person can have been born in, newest first.
_ERAS = (
    (date(2019, 5, 1), "令和"),
    (date(1989, 1, 8), "平成"),
    (date(1926, 12, 25), "昭和"),
    (date(1912, 7, 30), "大正"),
)
_WEEKDAYS = "月火水木金土日"

Forms = Mapping[str, str]


class BrokenCatalogue(ValueError):  # noqa: N818 - reads as what is wrong
    """A catalogue file that cannot be used; the message names the file and the key."""


class UnknownText(KeyError):  # noqa: N818 - reads as what is wrong
    """A key that stands in no catalogue: a mistake in a template or an outcome."""


class MissingFact(KeyError):  # noqa: N818 - reads as what is wrong
    """A placeholder of a text for which the caller brought no fact."""


@dataclass(frozen=True)
class Texts:
    """Every text of every language, read once at start.

    A text is either one string or a set of plural forms (`one`, `other`, …), chosen by the
    fact `n` with the CLDR rules of the language.
    """

    languages: tuple[str, ...]
    _forms: Mapping[str, Mapping[str, Forms]] = field(repr=False)

    def get(self, lang: str, key: str, /, **facts: object) -> str:
        """Return the text `key` in `lang` with its facts filled in.

        A text that `lang` lacks is taken from Japanese. Dates and datetimes are written the
        way the language writes them. If a fact is markup (has `__html__`), the whole answer
        is markup and everything else in it is escaped.

        Raises:
            UnknownText: the key stands in no catalogue.
            MissingFact: a placeholder has no fact.
        """
        spoken, forms = self._find(lang, key)
        text = forms[_plural_form(spoken, forms, facts)]
        written = {name: _write_fact(spoken, fact) for name, fact in facts.items()}
        try:
            if any(hasattr(fact, "__html__") for fact in written.values()):
                return escape(text).format_map(written)
            return text.format_map(written)
        except KeyError as missing:
            raise MissingFact(f"text {key} ({spoken}) needs the fact {missing}") from None

    def keys(self, lang: str) -> frozenset[str]:
        """Return the keys that `lang` itself has; the forms of a plural are one key."""
        return frozenset(self._forms.get(lang, {}))

    def placeholders(self, lang: str, key: str) -> frozenset[str]:
        """Return the names of the facts that any form of the text asks for."""
        _, forms = self._find(lang, key)
        return frozenset(name for text in forms.values() for name in _fields(text))

    def _find(self, lang: str, key: str) -> tuple[str, Forms]:
        for tag in (lang, SOURCE_LANGUAGE):
            forms = self._forms.get(tag, {}).get(key)
            if forms is not None:
                return tag, forms
        raise UnknownText(key)


@cache
def load_texts(folder: Path) -> Texts:
    """Read `folder/{language}/{area}.toml`; the area is the first part of every key.

    Read once a process: the catalogues belong to the code, and what is returned never changes.

    Raises:
        BrokenCatalogue: no Japanese, not TOML, a value that is not text, a bad placeholder.
    """
    tags = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    if SOURCE_LANGUAGE not in tags:
        raise BrokenCatalogue(f"{folder}: there is no folder {SOURCE_LANGUAGE}")
    tags.sort(key=lambda tag: (not _is_japanese(tag), tag))
    forms = {tag: MappingProxyType(_read_language(folder / tag)) for tag in tags}
    return Texts(languages=tuple(tags), _forms=MappingProxyType(forms))


def _read_language(folder: Path) -> dict[str, Forms]:
    texts: dict[str, Forms] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BrokenCatalogue(f"{path}: {error}") from error
        for key, forms in _walk(content, path.stem):
            texts[key] = _checked(path, key, forms)
    return texts


def _walk(node: Mapping[str, object], prefix: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, value in node.items():
        key = f"{prefix}.{name}"
        if not isinstance(value, dict):
            yield key, {"other": value}
        elif "other" in value and _PLURAL_FORMS.issuperset(value):
            yield key, value
        else:
            yield from _walk(value, key)


def _checked(path: Path, key: str, forms: Mapping[str, object]) -> Forms:
    return MappingProxyType({form: _checked_text(path, key, text) for form, text in forms.items()})


def _checked_text(path: Path, key: str, text: object) -> str:
    if not isinstance(text, str) or not text:
        raise BrokenCatalogue(f"{path}: {key} is not a text")
    try:
        names = list(_fields(text))
    except ValueError as error:
        raise BrokenCatalogue(f"{path}: {key}: {error}") from error
    # A name with a dot or an index would reach into the facts.
    if not all(name.isidentifier() for name in names):
        raise BrokenCatalogue(f"{path}: {key}: a placeholder is a plain name like {{minutes}}")
    return text


def _fields(text: str) -> Iterator[str]:
    for _, name, _, _ in string.Formatter().parse(text):
        if name is not None:
            yield name


def _plural_form(lang: str, forms: Forms, facts: Mapping[str, object]) -> str:
    count = facts.get("n")
    if len(forms) == 1 or not isinstance(count, int):
        return "other"
    form = _locale(lang).plural_form(count)
    return form if form in forms else "other"


def _write_fact(lang: str, fact: object) -> object:
    if isinstance(fact, datetime):
        return format_datetime(lang, fact)
    if isinstance(fact, date):
        return format_date(lang, fact)
    return fact


def format_date(lang: str, day: date) -> str:
    """Write a day: 2026年12月22日（令和8年）, 22 December 2026.

    A datetime stands for its day in Tokyo.
    """
    if isinstance(day, datetime):
        day = _in_tokyo(day).date()
    if not _is_japanese(lang):
        return babel_date(day, "d MMMM y", locale=_locale(lang))
    era = _era_year(day)
    return _plain_date(day) + (f"（{era}）" if era else "")


def format_time(lang: str, at: datetime) -> str:
    """Write a clock time in Tokyo: 15時42分, 15:42."""
    local = _in_tokyo(at)
    if _is_japanese(lang):
        return f"{local.hour}時{local.minute:02}分"
    return f"{local.hour:02}:{local.minute:02}"


def format_datetime(lang: str, at: datetime) -> str:
    """Write a moment in Tokyo: 2026年11月20日（金）8時12分, Friday 20 November 2026, 08:12."""
    local = _in_tokyo(at)
    if _is_japanese(lang):
        weekday = _WEEKDAYS[local.weekday()]
        return f"{_plain_date(local.date())}（{weekday}）{format_time(lang, at)}"
    day = babel_date(local.date(), "EEEE d MMMM y", locale=_locale(lang))
    return f"{day}, {format_time(lang, at)}"


def _plain_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _era_year(day: date) -> str | None:
    for first, name in _ERAS:
        if day >= first:
            year = day.year - first.year + 1
            return f"{name}{'元' if year == 1 else year}年"
    return None


def _in_tokyo(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no clock time; use an aware datetime")
    return at.astimezone(TOKYO)


def _is_japanese(lang: str) -> bool:
    return _primary(lang) == SOURCE_LANGUAGE


def _primary(tag: str) -> str:
    return tag.partition("-")[0]


@lru_cache
def _locale(tag: str) -> Locale:
    """Return the locale of a language tag; a variant without one (ja-simple) is its language."""
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_primary(tag))
