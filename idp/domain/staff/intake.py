"""Taking in an application at the desk: look at it first, write drafts, or issue at once."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.security_events import tell_of_household
from idp.domain.people.memberships import has_representative
from idp.domain.staff.applications import FamilyApplication
from idp.domain.staff.desk import Desk, Post
from idp.domain.staff.family import HouseholdChoice, HouseholdFault, resolve_household
from idp.domain.staff.issuance import (
    AlreadyRegistered,
    IssueOutcome,
    issue_family,
    register_family,
)
from idp.domain.staff.registration import RegisteredFamily, RegistrationFault, find_known
from idp.protocol.events import SecurityEvent


class IntakeWish(StrEnum):
    """How far to go with an application."""

    #: Only look whether it could be registered.
    CHECK = "check"
    DRAFT = "draft"
    ISSUE = "issue"

    @classmethod
    def _missing_(cls, _value: object) -> "IntakeWish":
        """Whoever says nothing clear gets to look at it first."""
        return cls.CHECK


@dataclass(frozen=True)
class Intake:
    """An application, the household it means, and how far to go."""

    application: FamilyApplication
    household: HouseholdChoice
    wish: IntakeWish


@dataclass(frozen=True)
class TakenIn:
    """The family is registered; `issued` is what became of the guardian's account."""

    household_id: UUID
    guardian_id: UUID
    issued: IssueOutcome | None


IntakeOutcome = TakenIn | AlreadyRegistered | HouseholdFault | RegistrationFault | None


def take_in(db: Session, desk: Desk, intake: Intake, *, post: Post, now: datetime) -> IntakeOutcome:
    """Register an application as far as wished; None if it was only looked at and is fine."""
    application = intake.application
    known = find_known(db, desk, application.guardian)
    if known is not None:
        return AlreadyRegistered(known)
    household = resolve_household(db, desk, application.application_number, intake.household)
    if isinstance(household, HouseholdFault):
        return household
    if household is not None and has_representative(db, household, now=now):
        return RegistrationFault.HAS_REPRESENTATIVE
    if intake.wish is IntakeWish.CHECK:
        return None
    application = replace(application, household_id=household)
    family = register_family(db, desk, application, now=now)
    if isinstance(family, AlreadyRegistered | RegistrationFault):
        return family
    if application.household_id is not None:
        _tell_services(db, family, keys=post.keys, now=now)
    issued = None
    if intake.wish is IntakeWish.ISSUE:
        issued = issue_family(db, desk, family, post=post, now=now)[family.guardian_id]
    return TakenIn(family.household_id, family.guardian_id, issued)


def _tell_services(db: Session, family: RegisteredFamily, *, keys: Keyring, now: datetime) -> None:
    """Tell services that know the household: a new representative, new proxies."""
    event = SecurityEvent.REPRESENTATIVE_CHANGED
    tell_of_household(db, event, family.household_id, family.guardian_id, keys=keys, now=now)
    for proxy_id in family.proxy_ids:
        event = SecurityEvent.MEMBER_ADDED
        tell_of_household(db, event, family.household_id, proxy_id, keys=keys, now=now)
