"""Authorization requests that need no page: answered where they arrive, without a walk."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.domain.grants.consents import consented_among
from idp.domain.signin.at_once import find_end_at_once
from idp.domain.signin.sessions import SignedIn
from idp.domain.upkeep.audit import Actor
from idp.oauth.answers import Granting, grant_authorization, needs_consent, refuse_request
from idp.oauth.provider import Provider
from idp.protocol.client import RegisteredClient
from idp.protocol.interaction import Answer, Refuse
from idp.protocol.request import AuthorizationRequest
from idp.protocol.responses import Reply
from idp.protocol.scope import split_scope


@dataclass(frozen=True)
class Answered:
    """The request has its answer already."""

    reply: Reply


@dataclass(frozen=True)
class Arrived:
    """A checked request, as it came and as a walk would keep it."""

    request: AuthorizationRequest
    stored: Mapping[str, Any]
    client: RegisteredClient
    person: SignedIn | None
    #: The peer's network address, for the audit.
    address: str | None


def answer_at_once(
    db: Session, arrived: Arrived, *, provider: Provider, now: datetime
) -> Answered | None:
    """Answer a request of someone who has nothing left to do; None: it needs a walk.

    With prompt=none the error that names what is missing is an answer too.
    """
    person, request = arrived.person, arrived.request
    wanted = split_scope(request.consent_scope)
    consented: frozenset[str] = frozenset()
    if person is not None:
        consented = consented_among(db, person.account_id, arrived.client, wanted)
    is_outstanding = not wanted <= consented or needs_consent(request, arrived.client)
    end = find_end_at_once(db, arrived.stored, person, consent_outstanding=is_outstanding, now=now)
    match end:
        case None:
            return None
        case Refuse(error):
            return Answered(refuse_request(request, error, issuer=provider.issuer))
        case Answer():
            assert person is not None
            granting = Granting(request, arrived.client, person, consented)
            actor = Actor("account", account_id=person.account_id, address=arrived.address)
            reply = grant_authorization(db, granting, provider=provider, actor=actor, now=now)
            return Answered(reply)
