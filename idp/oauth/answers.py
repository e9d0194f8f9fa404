"""The end of a walk: answer the authorization request with a code, or with an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import new_token
from idp.base.url import origin_of
from idp.domain.grants.authorization_codes import NewAuthorization, issue_code
from idp.domain.grants.delegation import Acting, describe_delegation
from idp.domain.grants.logout import subject_at
from idp.domain.grants.pushed_requests import complete_pushed_request
from idp.domain.signin.sessions import SignedIn
from idp.domain.upkeep.audit import Act, Actor, record
from idp.oauth.provider import Provider
from idp.protocol import acr
from idp.protocol.claims import CLAIM_SCOPE
from idp.protocol.client import RegisteredClient, ResponseMode
from idp.protocol.details import write_details
from idp.protocol.errors import RedirectedError
from idp.protocol.id_token import half_hash
from idp.protocol.interaction import Refusal
from idp.protocol.request import AuthorizationRequest, from_json
from idp.protocol.responses import Reply, build_code_reply, build_error_reply
from idp.protocol.scope import OFFLINE_ACCESS, join_scope, split_scope
from idp.protocol.session_state import build_session_state, derive_browser_state

_DESCRIPTIONS: Mapping[Refusal, str] = {
    Refusal.ACCESS_DENIED: "The person or the provider refused.",
    Refusal.LOGIN_REQUIRED: "The person has to sign in.",
    Refusal.INTERACTION_REQUIRED: "The person has to be shown a page.",
    Refusal.CONSENT_REQUIRED: "The person has to consent.",
}


@dataclass(frozen=True)
class PendingAuthorization:
    """The checked request of a walk, as it is stored in the interaction."""

    request: Mapping[str, Any]
    #: Who asks, if it may still be used, and the scopes that need no question.
    client: RegisteredClient | None = None
    consented: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Granting:
    """A request that nothing stands in the way of any more, and who lets whom have what."""

    request: AuthorizationRequest
    client: RegisteredClient
    person: SignedIn
    #: Scopes that need no question.
    consented: frozenset[str]


def answer_authorization(
    db: Session,
    pending: PendingAuthorization,
    person: SignedIn,
    *,
    provider: Provider,
    actor: Actor,
    now: datetime,
) -> Reply:
    """Issue a code to the client for the person signed in, or say why not.

    The walk has been through every step, and person and client were looked at in this very
    transaction: the client may have been disabled on the way, or the person stopped.
    """
    request, client = from_json(pending.request), pending.client
    if client is None:
        return refuse_authorization(pending, Refusal.ACCESS_DENIED, issuer=provider.issuer)
    granting = Granting(request, client, person, pending.consented)
    return grant_authorization(db, granting, provider=provider, actor=actor, now=now)


def is_answered_by_page(pending: PendingAuthorization) -> bool:
    """Whether the answer is a page that posts itself, where others are a redirect."""
    mode = pending.request.get("response_mode")
    return mode is not None and ResponseMode(str(mode)).is_form


def grant_authorization(
    db: Session, granting: Granting, *, provider: Provider, actor: Actor, now: datetime
) -> Reply:
    """Issue the code, unless the request insists on something that is not so."""
    request, client, person = granting.request, granting.client, granting.person
    error = _find_error(request, client, person, provider=provider)
    if error is not None:
        return build_error_reply(request.target, error, issuer=provider.issuer)
    if not _without_offline(request.scope) <= granting.consented:
        return refuse_request(request, Refusal.CONSENT_REQUIRED, issuer=provider.issuer)
    if not _may_have_details(db, granting, keys=provider.keys, now=now):
        _note_refusal(db, granting, actor=actor, now=now)
        return refuse_request(request, Refusal.ACCESS_DENIED, issuer=provider.issuer)
    if not _is_first_answer(db, request, now=now):
        error = RedirectedError("invalid_request_uri", "The request_uri has been answered.")
        return build_error_reply(request.target, error, issuer=provider.issuer)
    authorization = _build(granting, provider=provider)
    code = issue_code(db, authorization, now=now)
    act = Act(
        "authorization.granted",
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
        client_id=client.client_id,
        detail={"scope": authorization.scope},
    )
    record(db, act, actor=actor, now=now)
    state = _session_state(request, person, provider=provider)
    return build_code_reply(request.target, code=code, session_state=state, issuer=provider.issuer)


def _session_state(
    request: AuthorizationRequest, person: SignedIn, *, provider: Provider
) -> str | None:
    """Return what a service on a site of its own may watch the session with; an app has none."""
    origin = origin_of(request.target.redirect_uri)
    if origin is None:
        return None
    browser_state = derive_browser_state(provider.keys.subject_key, session_id=person.session_id)
    return build_session_state(
        client_id=request.client_id, origin=origin, browser_state=browser_state, salt=new_token()
    )


def needs_consent(request: AuthorizationRequest, client: RegisteredClient) -> bool:
    """Whether the person is asked about the details each time (RFC 9396 §4)."""
    return request.details is not None and not client.is_consented


def _may_have_details(db: Session, granting: Granting, *, keys: Keyring, now: datetime) -> bool:
    """Whether the person can give anything of what the details ask for."""
    detail, person = granting.request.details, granting.person
    if detail is None:
        return True
    acting = Acting(granting.client, person.account_id, person.household_id)
    return describe_delegation(db, detail, acting, keys=keys, now=now) is not None


def _note_refusal(db: Session, granting: Granting, *, actor: Actor, now: datetime) -> None:
    """Write down that a service asked to act where this person cannot let it."""
    act = Act(
        "authorization.refused",
        subject_id=granting.person.account_id,
        municipality_id=granting.person.municipality_id,
        client_id=granting.client.client_id,
        detail={"reason": "delegation"},
    )
    record(db, act, actor=actor, now=now)


def _is_first_answer(db: Session, request: AuthorizationRequest, *, now: datetime) -> bool:
    """Use up the pushed request, if there was one: of several walks one gets its code."""
    return request.pushed_id is None or complete_pushed_request(db, request.pushed_id, now=now)


def _without_offline(scope: str) -> frozenset[str]:
    return split_scope(scope) - {OFFLINE_ACCESS}


def _find_error(
    request: AuthorizationRequest, client: RegisteredClient, person: SignedIn, *, provider: Provider
) -> RedirectedError | None:
    """Tell what the request insisted on and did not get."""
    hinted = request.hinted_subject
    if hinted is not None and hinted != subject_at(client, person.account_id, keys=provider.keys):
        return RedirectedError("login_required", "Another person has signed in.")
    wanted = request.claims.essential_acr
    if wanted and not any(_reaches(person.acr, value) for value in wanted):
        return RedirectedError(
            "unmet_authentication_requirements", "The sign-in was weaker than demanded."
        )
    return None


def _reaches(have: str, wanted: str) -> bool:
    return wanted in acr.SUPPORTED and acr.rank(have) >= acr.rank(wanted)


def _build(granting: Granting, *, provider: Provider) -> NewAuthorization:
    """Return what is granted: offline access only where it was consented to."""
    request, person = granting.request, granting.person
    scopes = split_scope(request.scope) & granting.consented
    return NewAuthorization(
        client_id=request.client_id,
        account_id=person.account_id,
        session_id=person.session_id,
        household_id=person.household_id,
        scope=join_scope(scopes),
        redirect_uri=request.target.redirect_uri,
        code_challenge=request.code_challenge,
        acr=person.acr,
        amr=person.amr,
        authenticated_at=person.authenticated_at,
        is_offline=OFFLINE_ACCESS in scopes,
        facts=_facts(request, granting.client, granting.consented),
        code_lifetime=provider.code_lifetime,
        family_lifetime=provider.refresh_absolute,
    )


def _facts(
    request: AuthorizationRequest, client: RegisteredClient, consented: frozenset[str]
) -> dict[str, Any]:
    """Return what later tokens repeat of the request."""
    facts: dict[str, Any] = {"consented": sorted(consented & split_scope(request.consent_scope))}
    if request.nonce is not None:
        facts["nonce"] = request.nonce
    if request.target.state is not None:
        alg = client.id_token_signed_response_alg
        facts["s_hash"] = half_hash(request.target.state, alg=alg)
    if request.details is not None:
        facts["details"] = write_details(request.details)
    if request.resources:
        facts["resources"] = list(request.resources)
    if request.dpop_jkt is not None:
        facts["dpop_jkt"] = request.dpop_jkt
    for name, claims in (
        ("userinfo_claims", request.claims.userinfo),
        ("id_token_claims", request.claims.id_token),
    ):
        allowed = sorted(claim for claim in claims if CLAIM_SCOPE[claim] in consented)
        if allowed:
            facts[name] = allowed
    return facts


def refuse_authorization(pending: PendingAuthorization, error: Refusal, *, issuer: str) -> Reply:
    """Answer a walk that ended without a code (OIDC Core §3.1.2.6)."""
    return refuse_request(from_json(pending.request), error, issuer=issuer)


def refuse_request(request: AuthorizationRequest, error: Refusal, *, issuer: str) -> Reply:
    """Answer a request with the error that a person or the provider ended it with."""
    refused = RedirectedError(error.value, _DESCRIPTIONS[error])
    return build_error_reply(request.target, refused, issuer=issuer)
