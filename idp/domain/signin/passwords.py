"""Passwords: which may be chosen, and how one is written."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from uuid import UUID

import jaconv
from sqlalchemy.orm import Session
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from idp.base.text import fold, password_form
from idp.domain.signin.common_words import COMMON_WORDS
from idp.domain.signin.hashing import Hasher, HasherBusy
from idp.model.people import Account, CredentialState, PasswordCredential

__all__ = [
    "CLASSES",
    "LONG_LENGTH",
    "MAX_LENGTH",
    "MIN_LENGTH",
    "Hasher",
    "HasherBusy",
    "PasswordFault",
    "PersonWords",
    "check_password",
    "count_classes",
    "find_hash_of",
    "set_password",
]

#: Code points after NFKC. From MIN_LENGTH on with CLASSES of four kinds of characters, from
#: LONG_LENGTH on with any (product.md "Values").
MIN_LENGTH = 10
LONG_LENGTH = 15
MAX_LENGTH = 128
CLASSES = 3

#: Shorter words are part of too many good passwords.
_SHORTEST_WORD = 4
#: Where a guessable word stands, so many other characters must be left to guess.
_LEFT_TO_GUESS = 8
#: What a guesser finds within so many tries, he finds; and no more than this much is estimated,
#: since the estimate takes time.
_FEWEST_GUESSES_LOG10 = 8
_LONGEST_ESTIMATED = 72
_LEET = str.maketrans("013457@$!", "oleastasi")
_PARTS = re.compile(r"[^0-9a-zぁ-ゖァ-ヺー一-鿿々]+")
_SEQUENCES = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)


class PasswordFault(StrEnum):
    """Why a password is refused; the last part of the text's key."""

    SHORT = "short"
    CLASSES = "classes"
    LONG = "long"
    #: On the lists of what everybody tries first.
    COMMON = "common"
    #: Made of what others know about the person or the service.
    PERSONAL = "personal"
    #: The one she has now.
    SAME = "same"


@dataclass(frozen=True)
class PersonWords:
    """What others know about a person: no password is made of it."""

    #: Names, readings, sign-in ID, address, phone; town and services. As they are written.
    words: tuple[str, ...] = ()
    #: Of her children.
    birthdates: tuple[date, ...] = ()


def check_password(candidate: str, person: PersonWords) -> tuple[PasswordFault, ...]:
    """Return every reason against a password; none means it may be taken.

    Nothing is trimmed or replaced (D10). "The same as before" is asked of the hasher.
    """
    text = password_form(candidate)
    if len(text) > MAX_LENGTH:
        return (PasswordFault.LONG,)
    faults = []
    if len(text) < MIN_LENGTH:
        faults.append(PasswordFault.SHORT)
    elif len(text) < LONG_LENGTH and count_classes(text) < CLASSES:
        faults.append(PasswordFault.CLASSES)
    if _is_made_of(text, _spellings(person)):
        faults.append(PasswordFault.PERSONAL)
    elif _is_common(text):
        faults.append(PasswordFault.COMMON)
    return tuple(faults)


def count_classes(text: str) -> int:
    """Count the kinds of characters: capital and small letters, digits, anything else."""
    kinds = {
        "upper" if each.isupper() else "lower" if each.islower() else _kind_of_rest(each)
        for each in text
    }
    return len(kinds)


def _kind_of_rest(character: str) -> str:
    return "digit" if character.isdecimal() else "other"


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"]) | COMMON_WORDS


def _is_common(text: str) -> bool:
    plain = fold(text).casefold()
    if plain in _common_passwords() or _is_pattern(plain):
        return True
    if float(zxcvbn(text[:_LONGEST_ESTIMATED])["guesses_log10"]) < _FEWEST_GUESSES_LOG10:
        return True
    # The favourites with something hung on: P@ssword2026!, 123qwerty.
    core = plain.strip("0123456789!?.,*#@$%&+-_=~ ")
    for word in (core, core.translate(_LEET), plain.rstrip("0123456789!?.").translate(_LEET)):
        is_listed = len(word) >= _SHORTEST_WORD and word in _common_passwords()
        if is_listed and len(plain) - len(word) < _LEFT_TO_GUESS:
            return True
    return False


def _is_pattern(plain: str) -> bool:
    """Whether it is one short unit again and again, or a row of the alphabet or the keyboard."""
    if plain and len(plain) >= _SHORTEST_WORD:
        unit = (plain + plain).find(plain, 1)
        if unit <= len(plain) // 2 and unit <= _LEFT_TO_GUESS:
            return True
    return any(plain in row for row in _SEQUENCES if len(plain) >= _SHORTEST_WORD)


def _spellings(person: PersonWords) -> frozenset[str]:
    """Return how the words are typed in a password: parts, also in Latin letters."""
    found: set[str] = set()
    for written in person.words:
        whole = fold(written).casefold()
        for part in (*_PARTS.split(whole), _PARTS.sub("", whole)):
            found |= {part, jaconv.kana2alphabet(jaconv.kata2hira(part))}
        found.update(
            "".join(run) for run in (re.findall(r"[0-9]", whole), re.findall(r"[a-z]", whole))
        )
    for day in person.birthdates:
        found |= {f"{day:%Y%m%d}", f"{day:%y%m%d}", f"{day:%Y}", f"{day:%m%d}", f"{day:%d%m%Y}"}
        found |= {f"{day.year}{day.month}{day.day}", f"{day.year - 2018}{day:%m%d}"}
    return frozenset(word for word in found if _is_telling(word))


def _is_telling(word: str) -> bool:
    # Two Chinese characters say as much as a name in Latin letters.
    shortest = _SHORTEST_WORD if word.isascii() else _SHORTEST_WORD // 2
    return len(word) >= shortest


def _is_made_of(text: str, words: Iterable[str]) -> bool:
    """Whether too little is left to guess once the words are taken out."""
    plain = fold(text).casefold()
    for spelling in {plain, plain.translate(_LEET)}:
        rest = _PARTS.sub("", spelling)
        before = len(rest)
        for word in sorted(words, key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < before and len(rest) < _LEFT_TO_GUESS:
            return True
    return False


def find_hash_of(db: Session, account_id: UUID) -> str | None:
    """Return the stored hash of a person, whatever the state of the account."""
    row = db.get(PasswordCredential, account_id)
    return None if row is None else row.hash


def set_password(db: Session, account_id: UUID, hashed: str, *, now: datetime) -> None:
    """Write a hash that was made outside this transaction as the person's password."""
    row = db.get(PasswordCredential, account_id)
    if row is None:
        row = PasswordCredential(account_id=account_id, normalisation=1)
        db.add(row)
    row.hash = hashed
    row.changed_at = now
    account = db.get_one(Account, account_id)
    account.credential_state = CredentialState.SET
    account.updated_at = now
