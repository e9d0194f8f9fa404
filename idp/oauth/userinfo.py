"""UserInfo: an access token in, claims about its person out (OIDC Core §5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.access_tokens import LiveToken, check_access_token
from idp.domain.grants.clients import present_client
from idp.domain.grants.userinfo import Asked, build_person_claims
from idp.oauth.provider import Provider
from idp.protocol.claims import claims_of_scopes
from idp.protocol.errors import BearerError
from idp.protocol.params import Params
from idp.protocol.scope import OPENID, split_scope

_MAX_TOKEN = 16_384


@dataclass(frozen=True)
class PersonClaims:
    """The answer, and whose it is."""

    client_id: str
    claims: Mapping[str, object]


def resolve_bearer(authorization: str | None, params: Params) -> str:
    """Return the one access token of a request: from the header or the body (RFC 6750 §2).

    Raises:
        BearerError: none at all, two, or a header of another kind.
    """
    in_body = params.values.get("access_token")
    if "access_token" in params.faults or (authorization is not None and in_body is not None):
        raise BearerError("invalid_request", "Send one access token, one way.", status=400)
    if authorization is None:
        if in_body is None:
            raise BearerError(None, "No access token was sent.")
        return in_body
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise BearerError(None, "No access token was sent.")
    token = token.strip()
    if not token or len(token) > _MAX_TOKEN:
        raise BearerError("invalid_token", "The access token is not valid.")
    return token


def answer_userinfo(db: Session, token: str, *, provider: Provider, now: datetime) -> PersonClaims:
    """Return what the token lets its client know.

    Raises:
        BearerError: invalid_token with one text for every cause, or insufficient_scope.
    """
    live = check_access_token(db, token, issuer=provider.issuer, keys=provider.keys, now=now)
    if not isinstance(live, LiveToken) or provider.issuer not in live.audience:
        raise BearerError("invalid_token", "The access token is not valid.")
    scopes = split_scope(live.scope)
    if live.family is None or OPENID not in scopes:
        raise BearerError("insufficient_scope", "The scope openid is needed.", status=403)
    client = present_client(db, live.client_id, live.client_version)
    facts = live.family.facts
    by_name = frozenset(str(name) for name in facts.get("userinfo_claims", ()))
    consented = frozenset(str(name) for name in facts.get("consented", ()))
    asked = Asked(
        client=client,
        account_id=live.family.account_id,
        household_id=live.family.household_id,
        names=claims_of_scopes(scopes) | by_name,
        # A token narrowed at a refresh gives what it names; claims by name follow the consent.
        allowed_scopes=scopes | (consented if by_name else frozenset()),
    )
    claims = build_person_claims(db, asked, keys=provider.keys, now=now)
    return PersonClaims(client.client_id, {**claims, "sub": live.subject})
