"""Parameters of a request: one value each, bounded, without control characters."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

#: What a value may never hold: controls, halves of characters, and the mark that stands
#: where bytes were no UTF-8.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")

#: RFC 8707 §2 and RFC 8693 §2.1 let these stand several times.
_REPEATABLE = frozenset({"resource", "audience"})
_MAX_REPETITIONS = 20

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
        "authorization_details": 8_192,
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
        *("refresh_token", "token_type_hint", "logout_hint", "access_token", "dpop_jkt"),
        *("device_code", "subject_token_type", "actor_token_type", "requested_token_type"),
    }
)


class Fault(StrEnum):
    """Why a value is not used."""

    REPEATED = "repeated"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"


_NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class Params:
    """The usable values of a request, and which parameters had none."""

    values: Mapping[str, str]
    faults: Mapping[str, Fault]
    #: Every value of the parameters that may stand several times; `values` has the first.
    several: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the usable values as they may be stored and parsed again."""
        single = [(name, value) for name, value in self.values.items() if name not in self.several]
        return single + [(name, value) for name in self.several for value in self.several[name]]


def parse_params(pairs: Iterable[tuple[str, str]]) -> Params:
    """Read the parameters of one request.

    A parameter without a value counts as omitted and one that stands twice has none
    (RFC 6749 §3.1). Names that no endpoint knows are ignored, however they look.
    """
    values: dict[str, tuple[str, ...]] = {}
    faults: dict[str, Fault] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name not in KNOWN:
            continue
        is_again = name in seen
        seen.add(name)
        fault = _find_repetition(name, values) if is_again else None
        fault = fault or find_fault(name, value)
        if fault is not None:
            faults.setdefault(name, fault)
        elif value:
            values[name] = (*values.get(name, ()), value)
    usable = {name: found for name, found in values.items() if name not in faults}
    return Params(
        values=MappingProxyType({name: found[0] for name, found in usable.items()}),
        faults=MappingProxyType(faults),
        several=MappingProxyType(
            {name: found for name, found in usable.items() if name in _REPEATABLE}
        ),
    )


def _find_repetition(name: str, values: Mapping[str, tuple[str, ...]]) -> Fault | None:
    if name not in _REPEATABLE:
        return Fault.REPEATED
    return Fault.TOO_LONG if len(values.get(name, ())) >= _MAX_REPETITIONS else None


def find_fault(name: str, value: str) -> Fault | None:
    """Tell what is wrong with one value, if anything; the length is looked at first."""
    if len(value) > LIMITS.get(name, DEFAULT_LIMIT):
        return Fault.TOO_LONG
    if _REFUSED.search(value):
        return Fault.CHARACTERS
    return None
