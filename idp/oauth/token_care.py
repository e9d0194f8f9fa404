"""Revocation and introspection: what clients ask about tokens (RFC 7009, RFC 7662)."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.access_tokens import LiveToken, check_access_token
from idp.domain.grants.clients import present_client
from idp.domain.grants.keys import load_keys
from idp.domain.grants.logout import subject_at
from idp.domain.grants.revocation import LiveRefreshToken, find_live_token, revoke_token
from idp.oauth.calls import Answer, Call, check_form, refuse
from idp.oauth.client_authentication import (
    Remembered,
    authenticate_client,
    recall_caller,
    require_confidential,
)
from idp.oauth.provider import Provider
from idp.oauth.tokens import granted_details
from idp.protocol import dpop
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import EndpointError

#: All that a caller learns of a token that is not for it, or not alive (RFC 7662 §2.2).
_INACTIVE: Mapping[str, object] = {"active": False}


def answer_revocation_call(db: Session, call: Call, *, provider: Provider, now: datetime) -> Answer:
    """End a token of the calling client; 200 whether there was one or not (RFC 7009 §2.2)."""
    try:
        client, token = _read(db, call, None, provider=provider, now=now)
    except EndpointError as error:
        return refuse(error, call)
    revoke_token(db, token, client.client_id, issuer=provider.issuer, keys=provider.keys, now=now)
    return Answer(status=200, body={}, client_id=client.client_id)


def answer_introspection_call(
    db: Session, call: Call, *, provider: Provider, now: datetime
) -> Answer:
    """Say what a token is worth; a client sees only tokens meant for it (RT-09)."""
    try:
        check_form(call.params)
        remembered = recall_caller(db, call, now=now)
        answer = _answer_in_one_query(db, call, remembered, provider=provider, now=now)
        if answer is not None:
            return answer
        client, token = _read(db, call, remembered, provider=provider, now=now)
        require_confidential(client)
    except EndpointError as error:
        return refuse(error, call)
    live = find_live_token(db, token, issuer=provider.issuer, keys=provider.keys, now=now)
    return _describe_to(db, client, live, provider=provider, now=now)


def _answer_in_one_query(
    db: Session,
    call: Call,
    remembered: Remembered | None,
    *,
    provider: Provider,
    now: datetime,
) -> Answer | None:
    """Answer about an access token that may be used, to a client that is known here, or None.

    The query that brings the token brings the version of the caller: what this process
    remembers of it holds only if it is the same.
    """
    token = call.params.values.get("token")
    if token is None or remembered is None or remembered.fault is not None:
        return None
    caller = remembered.client
    keys, issuer = provider.keys, provider.issuer
    live = check_access_token(db, token, issuer=issuer, keys=keys, now=now, caller=caller.client_id)
    if not isinstance(live, LiveToken) or live.caller_version != caller.version:
        return None
    return _describe_to(db, caller, live, provider=provider, now=now)


def _describe_to(
    db: Session,
    client: RegisteredClient,
    live: LiveToken | LiveRefreshToken | None,
    *,
    provider: Provider,
    now: datetime,
) -> Answer:
    body = dict(_describe(live, client, provider))
    if isinstance(live, LiveToken) and body["active"]:
        body |= _describe_details(db, live, provider=provider, now=now)
    alg = client.introspection_signed_response_alg or "RS256"
    signer = load_keys(db, keys=provider.keys, now=now).signer(alg)
    return Answer(status=200, body=body, client_id=client.client_id, signer=signer)


def _describe_details(
    db: Session, live: LiveToken, *, provider: Provider, now: datetime
) -> Mapping[str, object]:
    """Return what the token lets its client do for a household now (RFC 9396 §9.2)."""
    if live.family is None or not live.has_details:
        return {}
    owner = present_client(db, live.client_id, live.client_version)
    found = granted_details(db, owner, live.family, keys=provider.keys, now=now)
    return {"authorization_details": list(found)}


def _read(
    db: Session,
    call: Call,
    remembered: Remembered | None,
    *,
    provider: Provider,
    now: datetime,
) -> tuple[RegisteredClient, str]:
    check_form(call.params)
    client = authenticate_client(db, call, provider=provider, now=now, remembered=remembered)
    token = call.params.values.get("token")
    if token is None:
        raise EndpointError("invalid_request", "The token is missing.")
    return client, token


def _describe(
    live: LiveToken | LiveRefreshToken | None, client: RegisteredClient, provider: Provider
) -> Mapping[str, object]:
    match live:
        case LiveToken():
            is_for_caller = client.client_id == live.client_id or bool(
                {client.client_id, *client.audiences} & set(live.audience)
            )
            return _describe_access(live, provider) if is_for_caller else _INACTIVE
        case LiveRefreshToken():
            is_own = client.client_id == live.family.client_id
            return _describe_refresh(live, client, provider) if is_own else _INACTIVE
        case None:
            return _INACTIVE


def _describe_access(live: LiveToken, provider: Provider) -> Mapping[str, object]:
    bound: Mapping[str, object] = {} if live.key is None else {"cnf": {"jkt": live.key}}
    return {
        "active": True,
        "token_type": "Bearer" if live.key is None else dpop.SCHEME,
        "iss": provider.issuer,
        "client_id": live.client_id,
        "sub": live.subject,
        "aud": live.audience[0] if len(live.audience) == 1 else list(live.audience),
        "scope": live.scope,
        "jti": live.jti,
        "iat": live.issued_at,
        "exp": live.expires_at,
        **({} if live.household is None else {"household_id": live.household}),
        **bound,
    }


def _describe_refresh(
    live: LiveRefreshToken, client: RegisteredClient, provider: Provider
) -> Mapping[str, object]:
    return {
        "active": True,
        "iss": provider.issuer,
        "client_id": client.client_id,
        "sub": subject_at(client, live.family.account_id, keys=provider.keys),
        "scope": live.family.scope,
        "exp": int(live.expires_at.timestamp()),
    }
