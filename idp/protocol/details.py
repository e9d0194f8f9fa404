"""Authorization details: for which household a service acts, and what it may do (RFC 9396)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from idp.protocol.claims import is_shallow
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import RedirectedError
from idp.protocol.registration_security import DELEGATION

ERROR = "invalid_authorization_details"
#: A person acts for one household at a time.
_MEMBERS = frozenset({"type", "household_id", "categories"})
_MAX_CATEGORIES = 20
_MAX_TEXT = 200


@dataclass(frozen=True)
class DelegationDetail:
    """What a service wants to do for a household."""

    #: The household as the service knows it; None: the one the person acts for.
    household_id: str | None = None
    #: Codes of what it wants to do; empty: everything the person may do.
    categories: tuple[str, ...] = ()


def parse_details(text: str | None, client: RegisteredClient) -> DelegationDetail | None:
    """Read the parameter: an array with one object of a type that the client registered.

    An unknown member is refused, since its meaning would be lost (RFC 9396 §5).

    Raises:
        RedirectedError: invalid_authorization_details.
    """
    if text is None:
        return None
    found = _parse(text)
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        raise _refused("The authorization_details must be an array with one object.")
    detail = found[0]
    kind = detail.get("type")
    if kind != DELEGATION or kind not in client.authorization_details_types:
        raise _refused("The type is not one that the client may use.")
    if not set(detail) <= _MEMBERS:
        raise _refused("A member of the authorization_details is unknown.")
    return DelegationDetail(_household(detail), _categories(detail))


def _parse(text: str) -> object:
    try:
        return json.loads(text) if is_shallow(text) else None
    except ValueError:
        return None


def _household(detail: Mapping[str, object]) -> str | None:
    value = detail.get("household_id")
    if "household_id" not in detail:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise _refused("The household_id is not one.")
    return value


def _categories(detail: Mapping[str, object]) -> tuple[str, ...]:
    values = detail.get("categories", [])
    if not isinstance(values, list) or len(values) > _MAX_CATEGORIES:
        raise _refused("The categories are not a list of codes.")
    if ("categories" in detail and not values) or not all(
        isinstance(value, str) and 0 < len(value) <= _MAX_TEXT for value in values
    ):
        raise _refused("The categories are not a list of codes.")
    return tuple(dict.fromkeys(values))


def _refused(description: str) -> RedirectedError:
    return RedirectedError(ERROR, description)


def write_details(detail: DelegationDetail | None) -> dict[str, object] | None:
    """Return what is stored with the request and with what is granted."""
    if detail is None:
        return None
    return {"household_id": detail.household_id, "categories": list(detail.categories)}


def read_details(stored: object) -> DelegationDetail | None:
    """Read stored details back; they were checked before."""
    if not isinstance(stored, dict):
        return None
    return DelegationDetail(stored["household_id"], tuple(stored["categories"]))
