"""The start of a walk: check the authorization request and store it, bound to the browser."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.grants.clients import find_client
from idp.domain.grants.delegation import knows_categories
from idp.domain.grants.keys import load_keys
from idp.domain.grants.logout import subject_at
from idp.domain.grants.own_tokens import open_own_token
from idp.domain.signin.interactions import AUTHORIZE, NewInteraction, open_interaction
from idp.domain.signin.sessions import SignedIn
from idp.oauth.at_once import Answered, Arrived, answer_at_once
from idp.oauth.provider import Provider
from idp.oauth.request_source import Source, find_source
from idp.protocol import details
from idp.protocol.authorize import resolve_client_id, resolve_reply_target
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import DisplayedError, RedirectedError
from idp.protocol.logout import parse_hint
from idp.protocol.params import Params
from idp.protocol.request import AuthorizationRequest, build_request, to_json
from idp.protocol.responses import Reply, build_error_reply

#: Stands for a person who is not the one signed in here, whoever she is.
_SOMEBODY_ELSE = UUID(int=0)
_CLOSED = RedirectedError("temporarily_unavailable", "The provider is closed for maintenance.")


@dataclass(frozen=True)
class Browser:
    """What is known of the browser that brings a request."""

    #: The cookie that binds walks to it.
    walk_token: str | None
    person: SignedIn | None
    #: The network address of it, for the audit.
    address: str | None = None


@dataclass(frozen=True)
class StartedWalk:
    """A walk that has begun; the browser goes on with these two."""

    interaction_id: UUID
    walk_token: str
    #: The languages the service asks for, best first (OIDC Core §3.1.2.1).
    ui_locales: tuple[str, ...] = ()


def start_authorization(
    db: Session,
    params: Params,
    *,
    browser: Browser,
    provider: Provider,
    now: datetime,
    lifetime: timedelta = timedelta(minutes=60),
) -> StartedWalk | Answered | Reply:
    """Check a request and answer it or open its walk, or return the error the client gets.

    Raises:
        DisplayedError: client or redirect URI cannot be trusted; nothing is sent anywhere.
    """
    client = _require_client(db, params)
    source = find_source(db, params, client, provider=provider, now=now)
    request = _accept(db, source, client, provider=provider, now=now)
    if isinstance(request, Reply):
        return request
    hinted_id = _hinted_account(request, client, browser.person, provider)
    stored = to_json(request, hinted_account_id=hinted_id)
    arrived = Arrived(request, stored, client, browser.person, browser.address)
    answered = answer_at_once(db, arrived, provider=provider, now=now)
    return answered or _open_walk(db, arrived, browser.walk_token, lifetime=lifetime, now=now)


def decline_authorization(
    db: Session, params: Params, *, provider: Provider, now: datetime
) -> Reply:
    """Tell a service that nobody can sign in now (RFC 6749 §4.1.2.1); nothing is stored.

    The request is checked as always: only a registered address hears of it, and a service
    whose request is wrong hears that first.

    Raises:
        DisplayedError: client or redirect URI cannot be trusted; nothing is sent anywhere.
    """
    client = _require_client(db, params)
    source = find_source(db, params, client, provider=provider, now=now)
    request = _accept(db, source, client, provider=provider, now=now)
    if isinstance(request, Reply):
        return request
    return build_error_reply(request.target, _CLOSED, issuer=provider.issuer)


def _require_client(db: Session, params: Params) -> RegisteredClient:
    client = find_client(db, resolve_client_id(params))
    if client is None:
        raise DisplayedError("client_unknown")
    return client


def _open_walk(
    db: Session, arrived: Arrived, walk_token: str | None, *, lifetime: timedelta, now: datetime
) -> StartedWalk:
    wanted = NewInteraction(
        purpose=AUTHORIZE,
        client_id=arrived.client.client_id,
        municipality_id=arrived.client.municipality_id,
        request=arrived.stored,
        lifetime=lifetime,
    )
    opened = open_interaction(db, wanted, browser_token=walk_token, now=now)
    return StartedWalk(opened.id, opened.browser_token, arrived.request.ui_locales)


def _accept(
    db: Session, source: Source, client: RegisteredClient, *, provider: Provider, now: datetime
) -> AuthorizationRequest | Reply:
    """Return the checked request, or the error that the client gets."""
    if source.error is not None and "redirect_uri" not in source.params.values:
        # What cannot be read says nothing of where its error belongs.
        raise DisplayedError(source.error.code)
    target = resolve_reply_target(source.params, client)
    try:
        if source.error is not None:
            raise source.error
        request = check_request(db, source.params, client, provider=provider, now=now)
    except RedirectedError as error:
        return build_error_reply(target, error, issuer=provider.issuer)
    return replace(request, pushed_id=source.pushed_id)


def check_request(
    db: Session, params: Params, client: RegisteredClient, *, provider: Provider, now: datetime
) -> AuthorizationRequest:
    """Run every check on the parameters that count, at the endpoint and when they are pushed.

    Raises:
        DisplayedError: the redirect URI cannot be trusted.
        RedirectedError: the first check that fails.
    """
    target = resolve_reply_target(params, client)
    hinted = _hinted_subject(db, params, client, provider=provider, now=now)
    request = build_request(params, client, target, hinted_subject=hinted)
    if request.details is not None and not knows_categories(request.details):
        raise RedirectedError(details.ERROR, "A category is unknown.")
    return request


def _hinted_subject(
    db: Session,
    params: Params,
    client: RegisteredClient,
    *,
    provider: Provider,
    now: datetime,
) -> str | None:
    """Return whom an id_token_hint names: a genuine ID token of this very client.

    Raises:
        RedirectedError: it is something else (JW-01, JW-07).
    """
    hint = params.values.get("id_token_hint")
    if hint is None:
        return None
    opened = open_own_token(hint, load_keys(db, keys=provider.keys, now=now))
    found = None
    if opened is not None:
        found = parse_hint(opened.header, opened.claims, issuer=provider.issuer, now=now)
    if found is None or found.client_id != client.client_id:
        raise RedirectedError("invalid_request", "The id_token_hint is not valid.")
    return found.subject


def _hinted_account(
    request: AuthorizationRequest,
    client: RegisteredClient,
    person: SignedIn | None,
    provider: Provider,
) -> UUID | None:
    """Return the hinted person if she is the one signed in, else somebody else.

    A pairwise `sub` cannot be turned back into an account; after the sign-in the answer
    compares the subjects themselves.
    """
    if request.hinted_subject is None:
        return None
    if person is not None:
        known = subject_at(client, person.account_id, keys=provider.keys)
        if known == request.hinted_subject:
            return person.account_id
    return _SOMEBODY_ELSE
