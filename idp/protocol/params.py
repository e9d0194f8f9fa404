"""Parameters of a request: one value each, bounded, without control characters."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

#: What a value may never hold: controls, halves of characters, and the mark that stands
#: where bytes were no UTF-8.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")

#: RFC 8707 §2 and RFC 8693 §2.1 let these stand several times; the first one is kept.
_REPEATABLE = frozenset({"resource", "audience"})

DEFAULT_LIMIT = 1_024
#: Longest values, in characters, of the parameters that need more than the default.
LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "state": 4_096,
        "nonce": 4_096,
        "scope": 2_048,
        "redirect_uri": 2_048,
        "post_logout_redirect_uri": 2_048,
        "claims": 8_192,
        "id_token_hint": 8_192,
        "request": 32_768,
        "client_assertion": 16_384,
        "token": 16_384,
        "subject_token": 16_384,
        "actor_token": 16_384,
    }
)

#: Every parameter that some endpoint of ours understands; others are ignored (RFC 6749 §3.1).
KNOWN = frozenset(
    {
        *LIMITS,
        *("response_type", "client_id", "response_mode", "code_challenge"),
        *("code_challenge_method", "prompt", "max_age", "acr_values", "login_hint", "ui_locales"),
        *("claims_locales", "display", "request_uri", "registration", "resource", "audience"),
        *("grant_type", "code", "code_verifier", "client_secret", "client_assertion_type"),
        *("refresh_token", "token_type_hint", "logout_hint", "access_token"),
    }
)


class Fault(StrEnum):
    """Why a value is not used."""

    REPEATED = "repeated"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"


@dataclass(frozen=True)
class Params:
    """The usable values of a request, and which parameters had none."""

    values: Mapping[str, str]
    faults: Mapping[str, Fault]


def parse_params(pairs: Iterable[tuple[str, str]]) -> Params:
    """Read the parameters of one request.

    A parameter without a value counts as omitted and one that stands twice has none
    (RFC 6749 §3.1). Names that no endpoint knows are ignored, however they look.
    """
    values: dict[str, str] = {}
    faults: dict[str, Fault] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name not in KNOWN or (name in seen and name in _REPEATABLE):
            continue
        if name in seen:
            faults[name] = Fault.REPEATED
            values.pop(name, None)
            continue
        seen.add(name)
        fault = find_fault(name, value)
        if fault is not None:
            faults[name] = fault
        elif value:
            values[name] = value
    return Params(values=MappingProxyType(values), faults=MappingProxyType(faults))


def find_fault(name: str, value: str) -> Fault | None:
    """Tell what is wrong with one value, if anything; the length is looked at first."""
    if len(value) > LIMITS.get(name, DEFAULT_LIMIT):
        return Fault.TOO_LONG
    if _REFUSED.search(value):
        return Fault.CHARACTERS
    return None
