"""A registration document as a form: what an administrator types, and back."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from idp.protocol.client import GrantType, SecurityProfile
from idp.protocol.client_fields import FIELDS, WITHOUT_FIELD, Field, Group, Kind
from idp.protocol.client_file import read_json
from idp.protocol.document import MetadataFault
from idp.protocol.scope import OPENID

#: Full-width letters, digits and signs, and the wide space.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_MANY = (Kind.CHOICES, Kind.SCOPE)
_ALGORITHM = "id_token_signed_response_alg"


class Posted(Protocol):
    """The fields of a form, of which one may stand there several times."""

    def get(self, name: str, default: str) -> str:
        """Return the first."""

    def getlist(self, name: str) -> list[str]:
        """Return all."""


def narrow(text: str) -> str:
    """Write full-width letters, digits and signs as the usual ones, and trim."""
    return text.translate(_NARROW).strip()


def read_posted(form: Posted) -> dict[str, str]:
    """Return what was typed, by field; of boxes the ticked ones, with spaces between."""
    return {
        field.name: " ".join(form.getlist(field.name))
        if field.kind in _MANY
        else form.get(field.name, "")
        for field in FIELDS
    }


def read_form(values: Mapping[str, str], *, known: Mapping[str, object]) -> dict[str, object]:
    """Return the document that a form means; what a service keeps is taken from the known one.

    An empty field takes the member away. What is no JSON or no number stays a text, which is
    refused with its field when the document is read.
    """
    kept = {name: known[name] for name in known if name in WITHOUT_FIELD}
    document: dict[str, object] = dict(kept)
    for field in FIELDS:
        if field.only_new and known:
            document[field.member] = known.get(field.member)
        elif field.kind is Kind.TAGGED:
            document |= _read_tagged(field, values.get(field.name, ""), document)
        else:
            document[field.member] = _read(field, values.get(field.name, ""))
    if _serves_nobody(values, known):
        document["scope"] = str(document["scope"]).removeprefix(OPENID).strip() or None
    return {name: value for name, value in document.items() if value is not None}


def _serves_nobody(values: Mapping[str, str], known: Mapping[str, object]) -> bool:
    """Whether it is a program that signs nobody in, and is registered without openid."""
    signs_in = GrantType.AUTHORIZATION_CODE in values.get("grant_types", "").split()
    registered = str(known.get("scope", OPENID)).split()
    return not signs_in and OPENID not in registered


def _read(field: Field, typed: str) -> object:
    return _READERS[field.kind](typed)


def _lines(typed: str) -> list[str]:
    return [line for line in map(narrow, typed.splitlines()) if line]


def _read_number(text: str) -> object:
    if not text:
        return None
    # A text of many digits would be slow to read, and no number of seconds has so many.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text


def _read_json(text: str) -> object:
    if not text.strip():
        return None
    try:
        return read_json(text)
    except ValueError:
        return text


_READERS: Mapping[Kind, Callable[[str], object]] = MappingProxyType(
    {
        Kind.WORDS: lambda typed: typed.strip() or None,
        Kind.CODE: lambda typed: narrow(typed) or None,
        Kind.NUMBER: lambda typed: _read_number(narrow(typed)),
        Kind.LINES: _lines,
        Kind.FLAG: bool,
        Kind.CHOICE: lambda typed: typed.strip() or None,
        Kind.CHOICES: str.split,
        Kind.SCOPE: lambda typed: " ".join((OPENID, *typed.split())),
        Kind.JSON: _read_json,
    }
)


def _read_tagged(field: Field, typed: str, before: Mapping[str, object]) -> dict[str, object]:
    """Read `fr: Réservation`; a line without a language is refused as one of no known language.

    So is a language that stands there twice, or has a field of its own that is filled in: of
    two texts none is dropped unsaid.
    """
    found: dict[str, object] = {}
    for line in typed.splitlines():
        tag, _, text = line.partition(":")
        member = f"{field.member}#{narrow(tag)}"
        if line.strip():
            is_second = member in found or before.get(member) is not None
            found[member] = "" if is_second else text.strip()
    return found


def write_form(document: Mapping[str, object]) -> dict[str, str]:
    """Return the fields that show a document; of an empty one, what a new service has."""
    return {field.name: _write(field, document) for field in FIELDS}


def _write(field: Field, document: Mapping[str, object]) -> str:
    value = document.get(field.member)
    if field.kind is Kind.TAGGED:
        return _write_tagged(field, document)
    if value is None or (field.member == _ALGORITHM and value == _usual_algorithm(document)):
        return field.usual
    match field.kind:
        case Kind.FLAG:
            return "1" if value else ""
        case Kind.LINES:
            return "\n".join(_entries(value))
        case Kind.CHOICES:
            return " ".join(_entries(value))
        case Kind.SCOPE:
            return " ".join(name for name in str(value).split() if name != OPENID)
        case Kind.JSON:
            return json.dumps(value, indent=2)
        case _:
            return str(value)


def _usual_algorithm(document: Mapping[str, object]) -> str:
    """Return what needs no choice: so the profile can be switched by one setting."""
    is_fapi = document.get("kosodate_profile") == SecurityProfile.FAPI2
    return "ES256" if is_fapi else "RS256"


def _entries(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _write_tagged(field: Field, document: Mapping[str, object]) -> str:
    shown = {each.member for each in FIELDS}
    return "\n".join(
        f"{name.partition('#')[2]}: {value}"
        for name, value in document.items()
        if name.startswith(f"{field.member}#") and name not in shown
    )


def field_of(fault: MetadataFault) -> str:
    """Return the form field a fault of the document belongs to; "" for one the form lacks."""
    member = fault.field.partition("[")[0]
    for field in FIELDS:
        if field.kind is not Kind.TAGGED and field.member == member:
            return field.name
    if member == "response_types":
        return "grant_types"
    stem = member.partition("#")[0]
    tagged = (each.name for each in FIELDS if each.kind is Kind.TAGGED and each.member == stem)
    return next(tagged, "")


def is_unusual(group: Group, values: Mapping[str, str]) -> bool:
    """Whether a part of the form holds something that a new service has not."""
    return any(
        sorted(values.get(field.name, "").split()) != sorted(field.usual.split())
        for field in FIELDS
        if field.group is group
    )
