"""Choosing a password: gather what it is judged by, judge and hash it outside transactions."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.signin.passwords import (
    Hasher,
    PasswordFault,
    PersonWords,
    check_password,
    find_hash_of,
)
from idp.domain.signin.person_words import person_words


@dataclass(frozen=True)
class Choice:
    """What a candidate is judged by: what others know of the person, and her hash so far."""

    words: PersonWords
    old_hash: str | None


@dataclass(frozen=True)
class Chosen:
    """A password that may be taken, hashed; `replaces` is the hash it was compared with."""

    hashed: str
    replaces: str | None


def look_at_choice(db: Session, account_id: UUID) -> Choice:
    """Read what a candidate is judged by."""
    return Choice(words=person_words(db, account_id), old_hash=find_hash_of(db, account_id))


def choose_password(
    choice: Choice, candidate: str, *, hasher: Hasher
) -> Chosen | tuple[PasswordFault, ...]:
    """Judge and hash a candidate; runs outside every transaction.

    Raises:
        HasherBusy: there is no place even to wait.
    """
    faults = check_password(candidate, choice.words)
    if faults:
        return faults
    if choice.old_hash is not None and hasher.verify(choice.old_hash, candidate):
        return (PasswordFault.SAME,)
    return Chosen(hashed=hasher.hash(candidate), replaces=choice.old_hash)
