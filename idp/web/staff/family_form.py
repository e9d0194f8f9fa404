"""The form of a family: rows that come and go without a script, nothing typed is lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from idp.base.dates import TOKYO
from idp.domain.people.memberships import CATEGORIES
from idp.domain.staff.fields import TypedDate
from idp.domain.staff.typed import (
    MOST_CHILDREN,
    MOST_PROXIES,
    TypedChild,
    TypedFamily,
    TypedPerson,
    TypedProxy,
)

GUARDIAN_FIELDS = (
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "email",
    "phone",
    "locale",
    "application_number",
    "household",
    "intake_route",
)
_DATE = ("_year", "_month", "_day")
CHILD_FIELDS = ("name", "name_kana", *(f"birthdate{part}" for part in _DATE))
PROXY_FIELDS = (
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "email",
    "locale",
    "relationship",
    *(f"until{part}" for part in _DATE),
    *(f"category_{code}" for code in CATEGORIES),
)
#: A row counts as typed if one of these holds something.
_PROXY_TYPED = ("family_name", "given_name", "family_name_kana", "given_name_kana", "email")
_MOST = {"child": MOST_CHILDREN, "proxy": MOST_PROXIES}
_FIELDS = {"child": CHILD_FIELDS, "proxy": PROXY_FIELDS}

Row = dict[str, str]


@dataclass(frozen=True)
class FamilyForm:
    """What stands in the form: one person, rows of children, rows of proxies."""

    guardian: Row
    children: tuple[Row, ...]
    proxies: tuple[Row, ...]

    def values(self) -> dict[str, str]:
        """Return every field by its name, for the page."""
        values = dict(self.guardian)
        for kind, rows in (("child", self.children), ("proxy", self.proxies)):
            for index, row in enumerate(rows, start=1):
                values |= {f"{kind}{index}_{name}": text for name, text in row.items()}
        return values | {"children": str(len(self.children)), "proxies": str(len(self.proxies))}


def new_form(*, now: datetime) -> FamilyForm:
    """Return an empty form with one child."""
    guardian = {"locale": "ja", "household": "new", "intake_route": "paper"}
    return add_row(FamilyForm(guardian, (), ()), "child", now=now)


def read_form(form: Mapping[str, str]) -> FamilyForm:
    """Read the fields that belong to this form; any other is ignored (IN-05)."""
    return FamilyForm(
        guardian={name: form.get(name, "") for name in GUARDIAN_FIELDS},
        children=_read_rows(form, "child", form.get("children", "")),
        proxies=_read_rows(form, "proxy", form.get("proxies", "")),
    )


def _read_rows(form: Mapping[str, str], kind: str, count_text: str) -> tuple[Row, ...]:
    count = int(count_text) if count_text.isascii() and count_text.isdigit() else 0
    return tuple(
        {name: form.get(f"{kind}{index}_{name}", "") for name in _FIELDS[kind]}
        for index in range(1, min(count, _MOST[kind]) + 1)
    )


def add_row(form: FamilyForm, kind: str, *, now: datetime) -> FamilyForm:
    """Return the form with one more child or proxy, if there is room."""
    if kind == "child" and len(form.children) < MOST_CHILDREN:
        return FamilyForm(form.guardian, (*form.children, {}), form.proxies)
    if kind == "proxy" and len(form.proxies) < MOST_PROXIES:
        return FamilyForm(form.guardian, form.children, (*form.proxies, new_proxy(now=now)))
    return form


def new_proxy(*, now: datetime) -> Row:
    """Return an empty proxy: everything allowed, until the end of the school year."""
    until = _end_of_school_year(now.astimezone(TOKYO).date())
    allowed = {f"category_{code}": "1" for code in CATEGORIES}
    period = {"until_year": str(until.year), "until_month": "3", "until_day": "31"}
    return {"locale": "ja"} | allowed | period


def _end_of_school_year(today: date) -> date:
    this_year = date(today.year, 3, 31)
    return this_year if today < this_year else date(today.year + 1, 3, 31)


def remove_row(form: FamilyForm, which: str) -> FamilyForm:
    """Return the form without one row, named `child2` or `proxy1`; the others move up."""
    return FamilyForm(
        form.guardian,
        tuple(row for n, row in enumerate(form.children, 1) if which != f"child{n}"),
        tuple(row for n, row in enumerate(form.proxies, 1) if which != f"proxy{n}"),
    )


def typed_family(form: FamilyForm) -> TypedFamily:
    """Return the typed family; rows nobody wrote into count as not there."""
    return TypedFamily(
        guardian=_typed_person("", form.guardian),
        application_number=form.guardian["application_number"],
        intake_route=form.guardian["intake_route"],
        children=tuple(
            typed_child(f"child{index}_", row)
            for index, row in enumerate(form.children, start=1)
            if any(text.strip() for text in row.values())
        ),
        proxies=tuple(
            typed_proxy(f"proxy{index}_", row)
            for index, row in enumerate(form.proxies, start=1)
            if any(row.get(name, "").strip() for name in _PROXY_TYPED)
        ),
    )


def typed_child(prefix: str, row: Mapping[str, str]) -> TypedChild:
    """Return one child's typed fields."""
    return TypedChild(
        prefix=prefix,
        name=row.get("name", ""),
        name_kana=row.get("name_kana", ""),
        birthdate=_typed_date(row, "birthdate"),
    )


def typed_proxy(prefix: str, row: Mapping[str, str]) -> TypedProxy:
    """Return one proxy's typed fields."""
    return TypedProxy(
        person=_typed_person(prefix, row),
        relationship=row.get("relationship", ""),
        until=_typed_date(row, "until"),
        categories=tuple(code for code in CATEGORIES if row.get(f"category_{code}")),
    )


def _typed_date(row: Mapping[str, str], name: str) -> TypedDate:
    return TypedDate(*(row.get(f"{name}{part}", "") for part in _DATE))


def _typed_person(prefix: str, row: Mapping[str, str]) -> TypedPerson:
    return TypedPerson(
        prefix=prefix,
        family_name=row.get("family_name", ""),
        given_name=row.get("given_name", ""),
        family_name_kana=row.get("family_name_kana", ""),
        given_name_kana=row.get("given_name_kana", ""),
        email=row.get("email", ""),
        phone=row.get("phone", ""),
        locale=row.get("locale", "ja"),
    )
