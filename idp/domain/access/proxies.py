"""Removing a proxy: by the representative alone, by staff, or by the proxy herself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.access.ending import end_household_access
from idp.domain.grants.security_events import tell_of_household
from idp.domain.people.households import find_membership
from idp.domain.people.memberships import end_membership, find_proxy
from idp.domain.upkeep.audit import Act, Actor, record
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.households import Household, MembershipRole
from idp.protocol.events import SecurityEvent


class Removal(StrEnum):
    """What asking to remove a proxy came to."""

    DONE = "done"
    #: No such proxy in a household of hers, or she does not represent it.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ProxyCase:
    """Which proxy of which household."""

    household_id: UUID
    membership_id: UUID


def remove_proxy_alone(
    db: Session,
    representative_id: UUID,
    case: ProxyCase,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
) -> Removal:
    """Remove a proxy as the representative: at once, alone, without the other's word (D3).

    A proxy who tries it hears the same as for a membership that does not exist (PX-02).
    """
    own = find_membership(db, representative_id, case.household_id, now=now)
    if own is None or own.role is not MembershipRole.REPRESENTATIVE:
        act = Act("proxy.removal_refused", subject_id=representative_id, reason="not_yours")
        record(db, act, actor=actor, now=now)
        return Removal.UNKNOWN
    return remove_proxy(db, case, "representative", actor=actor, keys=keys, now=now)


def leave_household(
    db: Session, proxy_id: UUID, household_id: UUID, *, actor: Actor, keys: Keyring, now: datetime
) -> Removal:
    """Stop being a proxy by one's own wish (A37)."""
    own = find_membership(db, proxy_id, household_id, now=now)
    if own is None or own.role is not MembershipRole.PROXY:
        return Removal.UNKNOWN
    case = ProxyCase(household_id=household_id, membership_id=own.membership_id)
    return remove_proxy(db, case, "proxy", actor=actor, keys=keys, now=now)


def remove_proxy(
    db: Session, case: ProxyCase, reason: str, *, actor: Actor, keys: Keyring, now: datetime
) -> Removal:
    """End a proxy's membership and all she holds for the household; tell her neutrally.

    The caller has checked that the household is hers to manage. The mail names nobody and
    no reason: whoever removed her must not be found out by it.
    """
    proxy_id = find_proxy(db, case.household_id, case.membership_id)
    if proxy_id is None or not end_membership(db, case.membership_id, now=now):
        return Removal.UNKNOWN
    event = SecurityEvent.MEMBER_REMOVED
    tell_of_household(db, event, case.household_id, proxy_id, keys=keys, now=now)
    end_household_access(db, proxy_id, case.household_id, keys=keys, now=now)
    municipality_id = db.get_one(Household, case.household_id).municipality_id
    mail = Mail("access_changed", proxy_id, {}, municipality_id=municipality_id)
    enqueue_mail(db, mail, keys=keys, now=now)
    act = Act(
        "proxy.removed",
        subject_id=proxy_id,
        municipality_id=municipality_id,
        reason=reason,
        detail={"household_id": str(case.household_id)},
    )
    record(db, act, actor=actor, now=now)
    return Removal.DONE
