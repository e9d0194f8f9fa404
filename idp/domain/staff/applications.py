"""Applications: what a family has told the municipality, parsed and ready to register."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from idp.base.contact import show_phone
from idp.domain.people.children import NewChild
from idp.domain.people.memberships import last_day
from idp.domain.people.names import PersonName
from idp.model.people import IntakeRoute


@dataclass(frozen=True)
class Applicant:
    """A person of an application; texts are parsed already."""

    name: PersonName
    email: str | None = None
    phone_number: str | None = None
    locale: str = "ja"
    #: The person's key in the application system: issuing twice is harmless.
    external_key: str | None = None

    @property
    def phone(self) -> str | None:
        """The phone number as it is written in Japan."""
        return show_phone(self.phone_number) if self.phone_number else None


@dataclass(frozen=True)
class ApplyingProxy:
    """Somebody who is to act for the household, until a day."""

    person: Applicant
    relationship: str
    valid_until: datetime
    #: Empty = everything the representative may do (A35).
    categories: Mapping[str, bool] | None = None

    @property
    def last_day(self) -> date:
        """The last day of the period, in Japan."""
        return last_day(self.valid_until)


@dataclass(frozen=True)
class FamilyApplication:
    """What an application says: a guardian, children, proxies."""

    guardian: Applicant
    application_number: str | None
    children: tuple[NewChild, ...] = ()
    proxies: tuple[ApplyingProxy, ...] = ()
    intake_route: IntakeRoute = IntakeRoute.STAFF
    #: A household of the municipality that has no representative; empty = a new one.
    household_id: UUID | None = None
