"""A JSON object read field by field: each value of its type, every fault collected."""

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from idp.base.text import has_control

_MAX_TEXT = 8_192
_MAX_ENTRIES = 50

Choice = TypeVar("Choice", bound=enum.StrEnum)


@dataclass(frozen=True)
class MetadataFault:
    """What is wrong with one field; `reason` is a stable key for the message."""

    field: str
    reason: str


class Document:
    """Takes values out of a JSON object; what is left at the end was not expected."""

    def __init__(self, content: Mapping[str, object]) -> None:
        # RFC 7591 §2: a member that is null counts as left out.
        self._rest = {name: value for name, value in content.items() if value is not None}
        self.faults: list[MetadataFault] = []

    def fault(self, field: str, reason: str) -> None:
        """Write a fault down."""
        self.faults.append(MetadataFault(field, reason))

    def says(self, name: str, value: str) -> bool:
        """Whether a value stands there; it is left for whoever takes it."""
        return self._rest.get(name) == value

    def take_text(self, name: str) -> str | None:
        """Take a non-empty text; none if it is missing or faulty."""
        value = self._rest.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
            self.fault(name, "text")
            return None
        if has_control(value):
            self.fault(name, "text")
            return None
        return value

    def take_pattern(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """Take a text of a given shape."""
        value = self.take_text(name)
        if value is not None and pattern.fullmatch(value) is None:
            self.fault(name, "shape")
            return None
        return value

    def take_one_of(self, name: str, known: Sequence[str]) -> str | None:
        """Take a text that is one of the known ones."""
        value = self.take_text(name)
        if value is not None and value not in known:
            self.fault(name, "unsupported")
            return None
        return value

    def take_choice(self, name: str, kind: type[Choice], default: Choice) -> Choice:
        """Take a member of a closed set."""
        value = self.take_one_of(name, [member.value for member in kind])
        return default if value is None else kind(value)

    def take_choices(
        self, name: str, kind: type[Choice], default: frozenset[Choice]
    ) -> frozenset[Choice]:
        """Take several members of a closed set."""
        if name not in self._rest:
            return default
        values = self.take_list(name)
        if not values or not set(values) <= {member.value for member in kind}:
            self.fault(name, "unsupported")
            return default
        return frozenset(kind(value) for value in values)

    def take_list(self, name: str) -> tuple[str, ...]:
        """Take a list of non-empty texts."""
        value = self._rest.pop(name, None)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
            self.fault(name, "list")
            return ()
        good = [
            entry
            for entry in value
            if isinstance(entry, str) and 0 < len(entry) <= _MAX_TEXT and not has_control(entry)
        ]
        if len(good) != len(value):
            self.fault(name, "list")
            return ()
        return tuple(good)

    def take_flag(self, name: str, *, default: bool) -> bool:
        """Take true or false; not 1, not "true"."""
        value = self._rest.pop(name, default)
        if not isinstance(value, bool):
            self.fault(name, "flag")
            return default
        return value

    def take_number(self, name: str) -> int | None:
        """Take a whole number from zero to a year of seconds."""
        value = self._rest.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 31_536_000:
            self.fault(name, "number")
            return None
        return value

    def take_object(self, name: str) -> Mapping[str, object] | None:
        """Take a JSON object."""
        value = self._rest.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fault(name, "object")
            return None
        return value

    def take_tagged(self, name: str) -> dict[str, str]:
        """Take a text and its language-tagged forms (RFC 7591 §2.2)."""
        keys = [key for key in self._rest if key == name or key.startswith(f"{name}#")]
        taken = {key: self.take_text(key) for key in keys}
        return {key: value for key, value in taken.items() if value is not None}

    def refuse_rest(self) -> None:
        """Name what nobody took."""
        for name in self._rest:
            self.fault(name, "unknown")
