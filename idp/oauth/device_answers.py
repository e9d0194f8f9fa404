"""The end of a device's walk: what the person is asked, and what the device gets."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.grants.clients import find_client
from idp.domain.grants.consents import consented_scopes
from idp.domain.grants.device_codes import LIFETIME, allow_device, deny_device
from idp.domain.grants.token_families import NewFamily
from idp.domain.people.accounts import find_usable
from idp.domain.signin.device_walk import shown_user_code
from idp.domain.signin.interactions import DEVICE, Walk, find_walk
from idp.domain.signin.sessions import SignedIn
from idp.domain.upkeep.audit import Act, Actor, record
from idp.oauth.consent import PendingConsent
from idp.oauth.provider import Provider
from idp.protocol.scope import OFFLINE_ACCESS, join_scope, split_scope


class DeviceOutcome(StrEnum):
    """How a device's walk ended."""

    ALLOWED = "allowed"
    DENIED = "denied"
    #: Its time is over, or somebody decided before.
    OVER = "over"


@dataclass(frozen=True)
class PendingDevice:
    """A device that waits for the person's answer."""

    consent: PendingConsent
    user_code: str


def find_pending_device(
    db: Session,
    interaction_id: UUID,
    walk_token: str | None,
    person: SignedIn,
    *,
    provider: Provider,
    now: datetime,
) -> PendingDevice | None:
    """Return the question of a device's walk of this browser."""
    walk = find_walk(db, interaction_id, walk_token, now=now)
    if walk is None or walk.purpose is not DEVICE or walk.completed_at is not None or walk.is_half:
        return None
    client = find_client(db, str(walk.client_id))
    if client is None:
        return None
    scope = str(walk.request["scope"])
    consent = PendingConsent(interaction_id, person.account_id, client, scope)
    return PendingDevice(consent, shown_user_code(walk, keys=provider.keys))


def answer_device(
    db: Session,
    walk: Walk,
    person: SignedIn,
    *,
    provider: Provider,
    actor: Actor,
    now: datetime,
) -> DeviceOutcome:
    """Let the device have what the person allowed; what could be wrong is looked at once more."""
    client = find_client(db, str(walk.client_id))
    if client is None or find_usable(db, person.account_id, now=now) is None:
        return refuse_device(db, walk, now=now)
    asked = split_scope(str(walk.request["scope"]))
    scopes = asked & consented_scopes(db, person.account_id, client)
    if not asked - {OFFLINE_ACCESS} <= scopes:
        return refuse_device(db, walk, now=now)
    new = _build(client.client_id, person, scopes, provider=provider)
    if not allow_device(db, _device_id(walk), new, now=now):
        return DeviceOutcome.OVER
    act = Act(
        "device.allowed",
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
        client_id=client.client_id,
        detail={"scope": new.scope},
    )
    record(db, act, actor=actor, now=now)
    return DeviceOutcome.ALLOWED


def refuse_device(db: Session, walk: Walk, *, now: datetime) -> DeviceOutcome:
    """Let the device have nothing; it hears access_denied (RFC 8628 §3.5)."""
    is_decided = deny_device(db, _device_id(walk), now=now)
    return DeviceOutcome.DENIED if is_decided else DeviceOutcome.OVER


def _device_id(walk: Walk) -> UUID:
    return UUID(walk.request["device_id"])


def _build(
    client_id: str, person: SignedIn, scopes: frozenset[str], *, provider: Provider
) -> NewFamily:
    """Return what is granted. It hangs on no session: the device is another one.

    Without offline access it lives until the device has fetched its one access token, and
    that one has ended.
    """
    is_offline = OFFLINE_ACCESS in scopes
    short = LIFETIME + provider.access_lifetime
    return NewFamily(
        client_id=client_id,
        account_id=person.account_id,
        session_id=None,
        household_id=person.household_id,
        scope=join_scope(scopes),
        acr=person.acr,
        amr=person.amr,
        authenticated_at=person.authenticated_at,
        is_offline=is_offline,
        facts={"consented": sorted(scopes)},
        family_lifetime=provider.refresh_absolute if is_offline else short,
    )
