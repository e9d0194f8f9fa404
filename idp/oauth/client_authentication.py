"""Client authentication at every endpoint that clients call (RFC 6749 §2.3)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.base.secret import digest, equal
from idp.domain.grants.client_assertions import (
    AssertionRules,
    claimed_client_id,
    verify_assertion,
)
from idp.domain.grants.clients import find_client, recall_client
from idp.oauth.calls import Call
from idp.oauth.provider import Provider
from idp.protocol.client import AuthMethod, RegisteredClient
from idp.protocol.client_auth import (
    PresentedAssertion,
    PresentedNothing,
    PresentedSecret,
    parse_client_proof,
    refused_client,
)

#: Compared where there is no secret to compare with.
_NOBODYS_DIGEST = digest("")
_BY_ASSERTION = frozenset({AuthMethod.PRIVATE_KEY_JWT, AuthMethod.SECRET_JWT})


@dataclass(frozen=True)
class Remembered:
    """A client as this process remembers it, and what was wrong with the secret that was sent."""

    client: RegisteredClient
    fault: str | None


def recall_caller(db: Session, call: Call, *, now: datetime) -> Remembered | None:
    """Judge a secret by what this process remembers of its client; None if that is nothing.

    Before anything is answered, the version has to be compared with the present one: the
    secret may have ended since, or the client have been disabled.
    """
    presented = parse_client_proof(call.params, authorization=call.authorization)
    if not isinstance(presented, PresentedSecret):
        return None
    client = recall_client(db, presented.client_id)
    if client is None:
        return None
    return Remembered(client, _find_fault(client, presented, now=now))


def authenticate_client(
    db: Session,
    call: Call,
    *,
    provider: Provider,
    now: datetime,
    remembered: Remembered | None = None,
) -> RegisteredClient:
    """Return the client that proved itself by the very method it is registered with.

    `remembered` is what was found of this very call already; it is used if it still holds.

    Raises:
        EndpointError: invalid_client with one text for every cause, or invalid_request for
            two methods at once.
        KeysWanted: the client publishes its keys, and they have to be fetched first.
    """
    presented = parse_client_proof(call.params, authorization=call.authorization)
    match presented:
        case PresentedSecret():
            return _check_secret(db, presented, remembered, now=now)
        case PresentedAssertion():
            return _check_assertion(db, presented, provider=provider, now=now)
        case PresentedNothing():
            return _check_public(db, presented)


def require_confidential(client: RegisteredClient) -> None:
    """Refuse a client that has proved nothing (introspection, client credentials).

    Raises:
        EndpointError: invalid_client.
    """
    if client.is_public:
        raise refused_client("client_public")


def _check_secret(
    db: Session, presented: PresentedSecret, remembered: Remembered | None, *, now: datetime
) -> RegisteredClient:
    client = find_client(db, presented.client_id)
    if remembered is not None and remembered.client is client:
        fault = remembered.fault
    else:
        fault = _find_fault(client, presented, now=now)
    if client is None or fault is not None:
        raise refused_client(fault or "client_unknown")
    return client


def _find_fault(
    client: RegisteredClient | None, presented: PresentedSecret, *, now: datetime
) -> str | None:
    """Return why this secret proves nothing, or None; the work is the same for everyone (CA-01)."""
    given = digest(presented.secret)
    if client is None or client.token_endpoint_auth_method is not presented.method:
        equal(given, _NOBODYS_DIGEST)
        return "client_unknown" if client is None else "client_method"
    # Every secret is compared, so that the answer takes as long whichever is right.
    right = [equal(given, each.digest) and each.is_valid(now=now) for each in client.secrets]
    return None if any(right) else "client_secret"


def _check_assertion(
    db: Session, presented: PresentedAssertion, *, provider: Provider, now: datetime
) -> RegisteredClient:
    claimed = claimed_client_id(presented.assertion)
    if claimed is None or presented.client_id not in (None, claimed):
        raise refused_client("assertion_client")
    client = find_client(db, claimed)
    if client is None or client.token_endpoint_auth_method not in _BY_ASSERTION:
        raise refused_client("client_unknown" if client is None else "client_method")
    audiences = {provider.issuer}
    if client.accepts_token_endpoint_audience:
        audiences.add(provider.token_endpoint)
    rules = AssertionRules(frozenset(audiences), provider.client_keys, provider.keys)
    refusal = verify_assertion(db, presented.assertion, client, rules=rules, now=now)
    if refusal is not None:
        raise refused_client(refusal)
    return client


def _check_public(db: Session, presented: PresentedNothing) -> RegisteredClient:
    client = find_client(db, presented.client_id)
    if client is None or not client.is_public:
        raise refused_client("client_unknown" if client is None else "client_no_proof")
    return client
