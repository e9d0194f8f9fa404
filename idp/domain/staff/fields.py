"""Fields as staff type them, read one by one; what is wrong is collected, not raised."""

import re
from dataclasses import dataclass, field
from datetime import date

from idp.base.contact import ContactError, parse_mail_address, parse_phone
from idp.base.dates import parse_date_parts
from idp.base.text import parse_kana, single_line, tidy_number

LONGEST_NAME = 100
LONGEST_NUMBER = 40
#: Dates of living people and of what is agreed with them.
_YEARS = range(1900, 2200)
#: What a mail program would make clickable: no such thing is a name (UM-06).
_LINK = re.compile(r"://|www\.|@|[A-Za-z0-9]\.[A-Za-z]{2,}")


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field; `reason` is the last part of a text key."""

    field: str
    reason: str


@dataclass(frozen=True)
class TypedDate:
    """A date in three fields; the year may be 2027, 令和9 or R9."""

    year: str = ""
    month: str = ""
    day: str = ""

    def is_blank(self) -> bool:
        """Whether nothing at all was typed."""
        return not (self.year + self.month + self.day).strip()


@dataclass
class FieldReader:
    """Reads fields; every fault is kept in the order the fields are read."""

    faults: list[Fault] = field(default_factory=list)

    def fail(self, name: str, reason: str) -> None:
        """Note what is wrong with a field."""
        self.faults.append(Fault(name, reason))

    def read_name(self, name: str, text: str) -> str:
        """Read a name that must be there."""
        value = self.read_line(name, text, LONGEST_NAME)
        if not value and not self.faults_of(name):
            self.fail(name, "missing")
        return value

    def read_line(self, name: str, text: str, longest: int) -> str:
        """Read one line that may be empty, as typed, trimmed."""
        try:
            value = single_line(text)
        except ValueError:
            self.fail(name, "control")
            return ""
        if len(value) > longest:
            self.fail(name, "too_long")
        elif _LINK.search(value):
            self.fail(name, "looks_like_link")
        return value

    def read_number(self, name: str, text: str) -> str:
        """Read a number of a paper, which may be empty, in half width with plain hyphens."""
        return self.read_line(name, tidy_number(text), LONGEST_NUMBER)

    def read_kana(self, name: str, text: str) -> str | None:
        """Read a reading, which is optional (domain.md §4.2)."""
        try:
            value = parse_kana(text)
        except ValueError:
            self.fail(name, "kana")
            return None
        if len(value) > LONGEST_NAME:
            self.fail(name, "too_long")
        return value or None

    def read_mail(self, name: str, text: str) -> str | None:
        """Read an address; empty is no address."""
        if not text.strip():
            return None
        try:
            return parse_mail_address(text)
        except ContactError as error:
            # An address of nothing but invisible signs counts as empty.
            if error.reason == "mail_missing":
                return None
            self.fail(name, error.reason)
            return None

    def read_phone(self, name: str, text: str) -> str | None:
        """Read a phone number; empty is none."""
        if not text.strip():
            return None
        try:
            return parse_phone(text)
        except ContactError as error:
            self.fail(name, error.reason)
            return None

    def read_date(self, name: str, typed: TypedDate) -> date | None:
        """Read a date that must be there."""
        if typed.is_blank():
            self.fail(name, "missing")
            return None
        try:
            day = parse_date_parts(typed.year, typed.month, typed.day)
        except ValueError:
            day = date.min
        if day.year not in _YEARS:
            self.fail(name, "date")
            return None
        return day

    def read_choice(self, name: str, text: str, choices: tuple[str, ...]) -> str:
        """Read one of a closed set."""
        if text not in choices:
            self.fail(name, "choice")
            return choices[0]
        return text

    def faults_of(self, name: str) -> tuple[Fault, ...]:
        """Return what is wrong with one field so far."""
        return tuple(fault for fault in self.faults if fault.field == name)
