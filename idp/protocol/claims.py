"""Claims about people: which scope gives which, and what a request asks for by name."""

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from idp.protocol.errors import RedirectedError

#: The claims of each scope (requirements §1.16, OIDC Core §5.4).
SCOPE_CLAIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "profile": (
            "name",
            "family_name",
            "given_name",
            "family_name#ja-Kana-JP",
            "given_name#ja-Kana-JP",
            "locale",
            "zoneinfo",
            "updated_at",
        ),
        "email": ("email", "email_verified"),
        "phone": ("phone_number", "phone_number_verified"),
        "address": ("address",),
        "household": ("kosodate_household",),
        "children": ("kosodate_children",),
        "delegation": ("kosodate_delegations",),
        "assurance": ("kosodate_assurance",),
        "notices": ("kosodate_pending",),
    }
)

#: Which scope a claim belongs to.
CLAIM_SCOPE: Mapping[str, str] = MappingProxyType(
    {claim: scope for scope, claims in SCOPE_CLAIMS.items() for claim in claims}
)

#: What the protocol itself says; no attribute of a person may take these names (trap T14).
PROTOCOL_CLAIMS = frozenset(
    {
        *("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "amr"),
        *("azp", "at_hash", "c_hash", "s_hash", "sid", "events", "client_id", "scope", "act"),
        *("cnf", "typ", "txn"),
    }
)

#: What discovery lists as `claims_supported`.
SUPPORTED = ("sub", "acr", "amr", "auth_time", "sid", *CLAIM_SCOPE)

_MAX_DEPTH = 6
_MAX_NAMES = 100


@dataclass(frozen=True)
class ClaimsRequest:
    """What the `claims` parameter asks for (OIDC Core §5.5), reduced to what we act on."""

    userinfo: frozenset[str] = frozenset()
    id_token: frozenset[str] = frozenset()
    #: The values of `acr` the ID token must have: essential ones.
    essential_acr: tuple[str, ...] = ()
    #: The values of `acr` the client would like.
    wanted_acr: tuple[str, ...] = ()
    #: The one person the answer may be about.
    subject: str | None = None


NO_CLAIMS = ClaimsRequest()


def parse_claims(text: str) -> ClaimsRequest:
    """Read the `claims` parameter; names that we do not know are ignored.

    Raises:
        RedirectedError: it is no JSON object of the shape of OIDC Core §5.5.
    """
    document = _load_object(text)
    userinfo = _members(document, "userinfo")
    id_token = _members(document, "id_token")
    acr = id_token.get("acr") or {}
    subject = (id_token.get("sub") or {}).get("value")
    if subject is not None and not isinstance(subject, str):
        raise _refused()
    values = _acr_values(acr)
    return ClaimsRequest(
        userinfo=frozenset(name for name in userinfo if name in CLAIM_SCOPE),
        id_token=frozenset(name for name in id_token if name in CLAIM_SCOPE),
        essential_acr=values if acr.get("essential") is True else (),
        wanted_acr=values,
        subject=subject,
    )


def _load_object(text: str) -> dict[str, object]:
    if not is_shallow(text):
        raise _refused()
    try:
        document = json.loads(text)
    except ValueError:
        raise _refused() from None
    if not isinstance(document, dict):
        raise _refused()
    return document


def is_shallow(text: str, *, limit: int = _MAX_DEPTH) -> bool:
    """Whether no bracket of a JSON text stands deeper than a limit, before anyone parses it.

    Brackets inside strings count as well: too strict for texts that nobody sends.
    """
    depth = 0
    for sign in text:
        if sign in "[{":
            depth += 1
            if depth > limit:
                return False
        elif sign in "]}":
            depth -= 1
    return True


def _members(document: Mapping[str, object], part: str) -> dict[str, dict[str, object]]:
    found = document.get(part)
    if found is None:
        return {}
    if not isinstance(found, dict) or len(found) > _MAX_NAMES:
        raise _refused()
    if not all(member is None or isinstance(member, dict) for member in found.values()):
        raise _refused()
    return {name: member or {} for name, member in found.items()}


def _acr_values(member: Mapping[str, object]) -> tuple[str, ...]:
    values = member.get("values", [])
    if not isinstance(values, list):
        raise _refused()
    value = member.get("value")
    found = [*values, *([] if value is None else [value])]
    if not all(isinstance(entry, str) for entry in found) or len(found) > _MAX_NAMES:
        raise _refused()
    return tuple(found)


def _refused() -> RedirectedError:
    return RedirectedError("invalid_request", "The claims parameter is malformed.")


def claims_of_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Return the claims that a set of scopes gives at UserInfo."""
    return _claims_of_scopes(frozenset(scopes))


@functools.lru_cache(maxsize=256)
def _claims_of_scopes(scopes: frozenset[str]) -> frozenset[str]:
    return frozenset(claim for scope in scopes for claim in SCOPE_CLAIMS.get(scope, ()))


def scopes_of_claims(claims: Iterable[str]) -> frozenset[str]:
    """Return the scopes a person must have consented to before these claims are given."""
    return frozenset(CLAIM_SCOPE[claim] for claim in claims if claim in CLAIM_SCOPE)


def select_claims(
    facts: Mapping[str, object], wanted: Iterable[str], *, allowed_scopes: Iterable[str]
) -> dict[str, object]:
    """Return the facts that were asked for, are allowed, and have a value.

    An empty value is left out, never sent as "" or null (OIDC Core §5.3.2). Whatever a fact
    is called, it cannot stand in for a claim of the protocol.
    """
    allowed = claims_of_scopes(allowed_scopes).difference(PROTOCOL_CLAIMS)
    return {
        name: facts[name]
        for name in wanted
        if name in allowed and facts.get(name) not in (None, "", {})
    }
