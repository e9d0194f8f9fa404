"""What services send about households, as JSON: read strictly, nothing that could break a mail."""

import json
import re
from collections.abc import Mapping

from idp.base.text import has_control
from idp.protocol.claims import is_shallow
from idp.protocol.errors import EndpointError

_KIND = re.compile(r"[a-z0-9_.-]{1,60}")
_KEY = re.compile(r"[A-Za-z0-9._~-]{16,128}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")
_MAX_SUBJECT = 120
_MAX_TEXT = 8_000
_MAX_LANGUAGES = 15
_MAX_COUNT = 999


def parse_body(body: bytes) -> Mapping[str, object]:
    """Return the JSON object of a body.

    Raises:
        EndpointError: invalid_request.
    """
    try:
        text = body.decode("utf-8")
        content = json.loads(text) if is_shallow(text) else None
    except ValueError:
        raise _refused("The body is not JSON.") from None
    if not isinstance(content, dict):
        raise _refused("The body is no JSON object.")
    return content


def take_text(content: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    """Return a member that has a given shape.

    Raises:
        EndpointError: invalid_request.
    """
    value = content.get(name)
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise _refused(f"The member {name} is missing or malformed.")
    return value


def take_household(content: Mapping[str, object]) -> str:
    """Return the id of a household as the service knows it."""
    return take_text(content, "household_id", re.compile(r"[A-Za-z0-9_-]{1,100}"))


def take_kind(content: Mapping[str, object], name: str) -> str:
    """Return the name of a kind of message or notice."""
    return take_text(content, name, _KIND)


def take_key(content: Mapping[str, object]) -> str:
    """Return the key by which a repeated call is known."""
    return take_text(content, "idempotency_key", _KEY)


def take_messages(content: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Return subject and text by language; Japanese has to be among them.

    Raises:
        EndpointError: invalid_request: a line break in a subject, a control in a text (UM-01).
    """
    found = content.get("messages")
    if not isinstance(found, dict) or "ja" not in found or len(found) > _MAX_LANGUAGES:
        raise _refused("The member messages is missing or malformed.")
    return {language: _message(language, entry) for language, entry in found.items()}


def _message(language: str, entry: object) -> tuple[str, str]:
    if _LANGUAGE.fullmatch(language) is None or not isinstance(entry, dict):
        raise _refused("A message is malformed.")
    subject, text = entry.get("subject"), entry.get("text")
    if not isinstance(subject, str) or not isinstance(text, str):
        raise _refused("A message needs subject and text.")
    if not subject.strip() or len(subject) > _MAX_SUBJECT or has_control(subject):
        raise _refused("A subject is empty, too long or no single line.")
    plain = text.replace("\r\n", "").replace("\n", "")
    if not text.strip() or len(text) > _MAX_TEXT or has_control(plain):
        raise _refused("A text is empty, too long or has control characters.")
    return subject.strip(), text.replace("\r\n", "\n")


def take_count(content: Mapping[str, object]) -> int:
    """Return how many things wait.

    Raises:
        EndpointError: invalid_request.
    """
    count = content.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _MAX_COUNT:
        raise _refused("The member count is missing or malformed.")
    return count


def _refused(description: str) -> EndpointError:
    return EndpointError("invalid_request", description)
