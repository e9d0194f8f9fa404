"""From the code that a device shows to the walk that decides about it (RFC 8628 §3.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import from_base64url, to_base64url
from idp.domain.grants.clients import find_client
from idp.domain.grants.device_codes import find_waiting_device
from idp.domain.signin.attempts import Blocked, give_back, reserve_all
from idp.domain.signin.interactions import (
    DEVICE,
    NewInteraction,
    OpenedInteraction,
    Walk,
    open_interaction,
)
from idp.domain.signin.limits import device_code_counters

#: Where a walk keeps the code of its device.
SEALED_CODE = "sealed_user_code"


@dataclass(frozen=True)
class Place:
    """Where a code is typed: what its tries are counted against."""

    network: str
    #: The random name of the browser, and the cookie that binds its walks.
    browser: str
    walk_token: str | None


def take_device_try(db: Session, place: Place, *, now: datetime) -> Blocked | None:
    """Count a code before it is looked up; the caller commits before it looks."""
    counters = device_code_counters(place.network, place.browser)
    outcome = reserve_all(db, counters, now=now)
    return outcome if isinstance(outcome, Blocked) else None


def open_device_walk(
    db: Session,
    user_code: str,
    place: Place,
    *,
    lifetime: timedelta,
    keys: Keyring,
    now: datetime,
) -> OpenedInteraction | None:
    """Open the walk of the device that shows this code; None if no device does.

    Consent is asked every time: whoever holds the code must say that the device is hers.
    """
    device = find_waiting_device(db, user_code, keys=keys, now=now)
    client = find_client(db, device.client_id) if device else None
    if device is None or client is None:
        return None
    give_back(db, device_code_counters(place.network, place.browser))
    sealed = keys.sealer.seal(user_code.encode(), context=walk_context(str(device.id)))
    wanted = NewInteraction(
        purpose=DEVICE,
        client_id=client.client_id,
        municipality_id=client.municipality_id,
        request={
            "device_id": str(device.id),
            SEALED_CODE: to_base64url(sealed),
            "scope": device.scope,
            "consent_scope": device.scope,
            "prompt": ["consent"],
        },
        lifetime=lifetime,
    )
    return open_interaction(db, wanted, browser_token=place.walk_token, now=now)


def walk_context(device_id: str) -> str:
    """Return what the code in a walk is sealed for."""
    return f"device:{device_id}"


def shown_user_code(walk: Walk, *, keys: Keyring) -> str:
    """Return the code that was typed at the start of a device's walk."""
    sealed = from_base64url(str(walk.request[SEALED_CODE]))
    return keys.sealer.unseal(sealed, context=walk_context(walk.request["device_id"])).decode()
