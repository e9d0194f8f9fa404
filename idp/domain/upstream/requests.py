"""Authentication requests to the upstream provider: begun in one browser, used up once."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, new_token
from idp.domain.signin.sessions import SignedIn
from idp.model.upstream import UpstreamPurpose, UpstreamRequest
from idp.protocol.upstream import UpstreamSecrets

#: Long enough to find the card and type its number.
LIFETIME = timedelta(minutes=10)
LINK = UpstreamPurpose.LINK
RECOVER = UpstreamPurpose.RECOVER


@dataclass(frozen=True)
class BegunRequest:
    """What the browser takes along, and the cookie that binds the answer to it."""

    secrets: UpstreamSecrets
    browser_token: str


@dataclass(frozen=True)
class ReturnedRequest:
    """A request whose answer has come, in the browser that began it."""

    purpose: UpstreamPurpose
    account_id: UUID | None
    session_id: UUID | None
    secrets: UpstreamSecrets


def begin_link(db: Session, person: SignedIn, *, keys: Keyring, now: datetime) -> BegunRequest:
    """Write that a person is sent to the provider to link her identity."""
    request = UpstreamRequest(
        purpose=LINK, account_id=person.account_id, session_id=person.session_id
    )
    return _begin(db, request, keys=keys, now=now)


def begin_recovery(db: Session, *, keys: Keyring, now: datetime) -> BegunRequest:
    """Write that somebody is sent to the provider to get back into her account."""
    return _begin(db, UpstreamRequest(purpose=RECOVER), keys=keys, now=now)


def _begin(db: Session, request: UpstreamRequest, *, keys: Keyring, now: datetime) -> BegunRequest:
    secrets = UpstreamSecrets(new_token(), new_token(), new_token())
    browser_token = new_token()
    body = json.dumps([secrets.nonce, secrets.code_verifier]).encode()
    request.id = new_id(now=now)
    request.state_digest = digest(secrets.state)
    request.browser_digest = digest(browser_token)
    request.sealed = keys.sealer.seal(body, context=request_context(request.id))
    request.created_at = now
    request.expires_at = now + LIFETIME
    db.add(request)
    return BegunRequest(secrets, browser_token)


def request_context(request_id: UUID) -> str:
    """Return what the secrets of a request are sealed for."""
    return f"upstream:{request_id}"


def claim_request(
    db: Session, state: str, browser_token: str | None, *, keys: Keyring, now: datetime
) -> ReturnedRequest | None:
    """Use a request up; one of another browser, too old or used before is none.

    The condition in the UPDATE is the lock: of two answers with one state one gets through.
    """
    mine = (
        UpstreamRequest.state_digest == digest(state),
        UpstreamRequest.browser_digest == digest(browser_token or ""),
    )
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(UpstreamRequest)
        .where(*mine, UpstreamRequest.used_at.is_(None), UpstreamRequest.expires_at > now)
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        return None
    row = db.scalars(select(UpstreamRequest).where(*mine)).one()
    body = keys.sealer.unseal(row.sealed, context=request_context(row.id))
    nonce, code_verifier = json.loads(body)
    secrets = UpstreamSecrets(state, nonce, code_verifier)
    return ReturnedRequest(row.purpose, row.account_id, row.session_id, secrets)
