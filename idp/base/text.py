"""Text that people type: folded where software can fold it, kept as typed where it is a name."""

import re
import unicodedata

import jaconv

#: Characters nobody sees; NFKC leaves them in.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
#: Signs that stand for a hyphen, to be put between brackets of a pattern: a Japanese keyboard
#: gives the long vowel mark, copied text a dash, a minus sign or a line of a table.
DASHES = "\u002d\u2010-\u2015\u2043\u2212\u2500\u30fc\uff0d\uff70"
_DASH = re.compile(f"[{DASHES}]")
#: After kana the long vowel mark is a letter: センター.
_HYPHEN = re.compile(f"(?:(?<![\u3041-\u30fa])|(?!\u30fc))[{DASHES}]")
_DIGITS = re.compile(r"[0-9]")


def fold(text: str) -> str:
    """Return the NFKC form without invisible characters and spaces."""
    return _SPACES.sub("", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)))


def login_key(text: str) -> str:
    """Return the canonical form of a sign-in ID: full-width, case and spaces do not matter (A20).

    Used at registration, look-up and counting alike, so that no spelling escapes a limit.
    """
    return fold(text).casefold()


def password_form(text: str) -> str:
    """Return the form of a password that is counted and hashed: NFKC, nothing trimmed (D10)."""
    return unicodedata.normalize("NFKC", text)


def code_digits(text: str) -> str:
    """Keep the digits of a code typed with full-width digits, spaces, hyphens or quotes."""
    return "".join(_DIGITS.findall(unicodedata.normalize("NFKC", text)))


def has_control(text: str) -> bool:
    """Whether the text holds a line break, NUL, another control or half a character."""
    return _CONTROL.search(text) is not None


def single_line(text: str) -> str:
    """Return the text trimmed, with runs of spaces made one.

    Names stay as typed otherwise: even NFC would rewrite some of them (domain.md §4.1).

    Raises:
        ValueError: the text holds a control character or a direction override.
    """
    if has_control(text) or re.search("[\u202a-\u202e\u2066-\u2069]", text):
        raise ValueError("control character")
    return _SPACES.sub(" ", text).strip()


def search_key(*parts: str | None) -> str:
    """Return what a name is searched by: NFKC, casefolded, without spaces, hiragana as katakana."""
    joined = "".join(fold(part) for part in parts if part)
    return jaconv.hira2kata(joined).casefold()


def drop_dashes(text: str) -> str:
    """Return the text without hyphens and whatever stands for one."""
    return _DASH.sub("", text)


def tidy_number(text: str) -> str:
    """Return a number of a paper as it is shown: NFKC, and one kind of hyphen."""
    return _HYPHEN.sub("-", unicodedata.normalize("NFKC", text))


_KANA = re.compile(r"[ァ-ヺー・ヽヾ ]*")


def parse_kana(text: str) -> str:
    """Return a reading in full-width katakana, from hiragana or half-width too.

    Raises:
        ValueError: something else than kana stands in it.
    """
    kana = jaconv.hira2kata(single_line(unicodedata.normalize("NFKC", text)))
    if _KANA.fullmatch(kana) is None:
        raise ValueError("not kana")
    return kana


def like_pattern(text: str) -> str:
    r"""Return a LIKE pattern that finds the text anywhere; the escape character is `\`."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{escaped}%"
