"""A family as staff type it, in a form, a file or on the command line; read into an application."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from idp.base.dates import TOKYO
from idp.domain.people.children import NewChild
from idp.domain.people.facts import application_key
from idp.domain.people.memberships import CATEGORIES, LONGEST_PROXY, RELATIONSHIPS
from idp.domain.people.names import PersonName
from idp.domain.staff.applications import Applicant, ApplyingProxy, FamilyApplication
from idp.domain.staff.fields import LONGEST_NAME, LONGEST_NUMBER, Fault, FieldReader, TypedDate
from idp.model.people import IntakeRoute

LOCALES = ("ja", "en", "ja-simple")
#: A form is for one family; many families come as a file.
MOST_CHILDREN = 10
MOST_PROXIES = 5
_OLDEST_CHILD_YEARS = 20


@dataclass(frozen=True)
class TypedPerson:
    """A person's fields. `prefix` begins the names of her fields (`proxy1_`)."""

    prefix: str = ""
    family_name: str = ""
    given_name: str = ""
    family_name_kana: str = ""
    given_name_kana: str = ""
    email: str = ""
    phone: str = ""
    locale: str = "ja"
    external_key: str = ""


@dataclass(frozen=True)
class TypedChild:
    """A child's fields."""

    prefix: str
    name: str = ""
    name_kana: str = ""
    birthdate: TypedDate = field(default_factory=TypedDate)


@dataclass(frozen=True)
class TypedProxy:
    """A proxy's fields. Every category ticked is the same as none named: everything."""

    person: TypedPerson
    relationship: str = ""
    until: TypedDate = field(default_factory=TypedDate)
    categories: tuple[str, ...] = CATEGORIES


@dataclass(frozen=True)
class TypedFamily:
    """All fields of one application."""

    guardian: TypedPerson
    application_number: str = ""
    intake_route: str = IntakeRoute.PAPER.value
    children: tuple[TypedChild, ...] = ()
    proxies: tuple[TypedProxy, ...] = ()


def parse_family(typed: TypedFamily, *, now: datetime) -> FamilyApplication | tuple[Fault, ...]:
    """Read an application, or return everything that is wrong with it, in the order of fields."""
    reader = FieldReader()
    guardian = read_person(reader, typed.guardian)
    number = reader.read_number("application_number", typed.application_number)
    # A number of nothing but dashes is none: nobody could answer with it.
    if not application_key(number) and not reader.faults_of("application_number"):
        reader.fail("application_number", "missing")
    route = reader.read_choice(
        "intake_route", typed.intake_route, tuple(route.value for route in IntakeRoute)
    )
    children = [read_child(reader, child, now=now) for child in typed.children]
    proxies = [read_proxy(reader, proxy, now=now) for proxy in typed.proxies]
    if len(children) > MOST_CHILDREN or len(proxies) > MOST_PROXIES:
        reader.fail("", "too_many")
    if reader.faults:
        return tuple(reader.faults)
    return FamilyApplication(
        guardian=guardian,
        application_number=number,
        children=tuple(child for child in children if child is not None),
        proxies=tuple(proxy for proxy in proxies if proxy is not None),
        intake_route=IntakeRoute(route),
    )


def read_person(reader: FieldReader, typed: TypedPerson) -> Applicant:
    """Read a person; somebody with a single name leaves the second field empty."""
    at = typed.prefix
    name = PersonName(
        family_name=reader.read_name(f"{at}family_name", typed.family_name),
        given_name=reader.read_line(f"{at}given_name", typed.given_name, LONGEST_NAME),
        family_name_kana=reader.read_kana(f"{at}family_name_kana", typed.family_name_kana),
        given_name_kana=reader.read_kana(f"{at}given_name_kana", typed.given_name_kana),
    )
    return Applicant(
        name=name,
        email=reader.read_mail(f"{at}email", typed.email),
        phone_number=reader.read_phone(f"{at}phone", typed.phone),
        locale=reader.read_choice(f"{at}locale", typed.locale, LOCALES),
        external_key=reader.read_line(f"{at}external_key", typed.external_key, LONGEST_NUMBER)
        or None,
    )


def read_child(reader: FieldReader, typed: TypedChild, *, now: datetime) -> NewChild | None:
    """Read a child; a birthdate in the future or of a grown-up is a slip of the pen."""
    at = typed.prefix
    name = reader.read_name(f"{at}name", typed.name)
    kana = reader.read_kana(f"{at}name_kana", typed.name_kana)
    birthdate = reader.read_date(f"{at}birthdate", typed.birthdate)
    if birthdate is None:
        return None
    today = now.astimezone(TOKYO).date()
    if not today.year - _OLDEST_CHILD_YEARS <= birthdate.year or birthdate > today:
        reader.fail(f"{at}birthdate", "birthdate_range")
    return NewChild(name=name, name_kana=kana, birthdate=birthdate)


def read_proxy(reader: FieldReader, typed: TypedProxy, *, now: datetime) -> ApplyingProxy | None:
    """Read a proxy: an own address is needed, since a proxy signs in as herself (A34)."""
    at = typed.person.prefix
    person = read_person(reader, typed.person)
    if person.email is None and not reader.faults_of(f"{at}email"):
        reader.fail(f"{at}email", "missing")
    relationship = reader.read_choice(f"{at}relationship", typed.relationship, RELATIONSHIPS)
    until = reader.read_date(f"{at}until", typed.until)
    allowed = {code: code in typed.categories for code in CATEGORIES}
    if not any(allowed.values()):
        reader.fail(f"{at}categories", "no_category")
    if until is None:
        return None
    valid_until = end_of_day(until)
    if not now < valid_until <= now + LONGEST_PROXY:
        reader.fail(f"{at}until", "proxy_period")
    return ApplyingProxy(
        person=person,
        relationship=relationship,
        valid_until=valid_until,
        categories={} if all(allowed.values()) else allowed,
    )


def end_of_day(day: date) -> datetime:
    """Return the moment at which a day ends in Japan."""
    next_day = datetime.combine(day + timedelta(days=1), time(), tzinfo=TOKYO)
    return next_day.astimezone(UTC)
