"""What the provider says about the person who signed in, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from clients.kit.clock import tokyo_hour

_MOST_CHARACTERS = 255
#: The claims a visit remembers; everything else of UserInfo is dropped at once.
REMEMBERED = (
    "sub",
    "name",
    "locale",
    "kosodate_household",
    "kosodate_children",
    "kosodate_delegations",
)


class ClaimsError(Exception):
    """The claims do not have the agreed shape; the argument names the claim, never its value."""


class Role(StrEnum):
    """What a person is in the household they act for."""

    REPRESENTATIVE = "representative"
    PROXY = "proxy"


class ChildStatus(StrEnum):
    """Whether a child may use the service at all."""

    ACTIVE = "active"
    AGED_OUT = "aged_out"
    MOVED_OUT = "moved_out"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Child:
    """A child of the household; its name is not among the claims."""

    id: str
    birthdate: date
    status: ChildStatus


@dataclass(frozen=True)
class Household:
    """The household that the person acts for."""

    id: str
    municipality_code: str
    role: Role


@dataclass(frozen=True)
class Delegation:
    """What a proxy may do for a household, and from when until when.

    `categories` maps a code to whether it is on, `*` standing for those not named; none at all
    means everything.
    """

    household_id: str
    categories: Mapping[str, bool]
    valid_from: datetime | None
    valid_until: datetime | None

    def covers(self, category: str, *, now: datetime) -> bool:
        """Tell whether it has begun, has not ended, and lets the proxy do this."""
        if self.valid_from is not None and now < self.valid_from:
            return False
        if self.valid_until is not None and now >= self.valid_until:
            return False
        everything = not self.categories
        return self.categories.get(category, self.categories.get("*", everything))


@dataclass(frozen=True)
class Person:
    """The one who really signed in. `delegations` is None where the claim is not given."""

    sub: str
    name: str
    locale: str
    household: Household | None
    children: tuple[Child, ...]
    delegations: tuple[Delegation, ...] | None

    def may(self, category: str, *, now: datetime) -> bool:
        """Tell whether the person may do things of a category for the household.

        The representative may everything. A proxy may the same where the provider says nothing
        of delegations; where it does, one of them must cover it.
        """
        if self.household is None:
            return False
        if self.household.role is Role.REPRESENTATIVE or self.delegations is None:
            return True
        return any(
            delegation.household_id == self.household.id and delegation.covers(category, now=now)
            for delegation in self.delegations
        )


def read_person(claims: Mapping[str, Any]) -> Person:
    """Read the claims of UserInfo.

    Raises:
        ClaimsError: a claim has another shape than agreed.
    """
    delegations = claims.get("kosodate_delegations")
    return Person(
        sub=_text(claims, "sub"),
        name=_optional_text(claims, "name"),
        locale=_optional_text(claims, "locale"),
        household=_household(claims.get("kosodate_household")),
        children=tuple(_child(entry) for entry in _list(claims, "kosodate_children")),
        delegations=None
        if delegations is None
        else tuple(_delegation(entry) for entry in _list(claims, "kosodate_delegations")),
    )


def remembered(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Keep only the claims a visit needs."""
    return {name: claims[name] for name in REMEMBERED if claims.get(name) is not None}


def _household(entry: object) -> Household | None:
    if not entry:
        return None
    table = _table(entry, "kosodate_household")
    try:
        role = Role(_text(table, "role"))
    except ValueError:
        raise ClaimsError("kosodate_household.role") from None
    return Household(_text(table, "id"), _text(table, "municipality_code"), role)


def _child(entry: object) -> Child:
    table = _table(entry, "kosodate_children")
    try:
        birthdate = date.fromisoformat(_text(table, "birthdate"))
        status = ChildStatus(_text(table, "status"))
    except ValueError:
        raise ClaimsError("kosodate_children") from None
    return Child(_text(table, "id"), birthdate, status)


def _delegation(entry: object) -> Delegation:
    table = _table(entry, "kosodate_delegations")
    categories = [_table(item, "categories") for item in _list(table, "categories")]
    return Delegation(
        household_id=_text(table, "household_id"),
        categories={_text(each, "code"): each.get("active") is True for each in categories},
        valid_from=_moment(table, "valid_from", whole_days=0),
        valid_until=_moment(table, "valid_until", whole_days=1),
    )


def _moment(table: Mapping[str, Any], name: str, *, whole_days: int) -> datetime | None:
    """Read a moment; or a day in Japan, of which `whole_days` have passed at the moment."""
    text = _optional_text(table, name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
        return tokyo_hour(moment.date(), 0) + timedelta(days=whole_days)
    except (ValueError, OverflowError):
        raise ClaimsError(name) from None


def _table(entry: object, name: str) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise ClaimsError(name)
    return entry


def _list(table: Mapping[str, Any], name: str) -> list[Any]:
    value = table.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ClaimsError(name)
    return value


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_CHARACTERS:
        raise ClaimsError(name)
    return value


def _optional_text(table: Mapping[str, Any], name: str) -> str:
    return "" if table.get(name) is None else _text(table, name)
