"""UserInfo: an access token in, claims about its person out (OIDC Core §5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.access_tokens import LiveToken, check_access_token
from idp.domain.grants.clients import present_client
from idp.domain.grants.encryption import Recipient, find_recipient
from idp.domain.grants.keys import LoadedKey, load_keys
from idp.domain.grants.userinfo import Asked, build_person_claims
from idp.oauth.provider import Provider
from idp.oauth.resource_calls import PresentedToken, check_possession
from idp.protocol.claims import claims_of_scopes
from idp.protocol.client import RegisteredClient
from idp.protocol.dpop import SCHEME
from idp.protocol.errors import BearerError
from idp.protocol.scope import OPENID, split_scope


@dataclass(frozen=True)
class PersonClaims:
    """The answer, and whose it is."""

    client_id: str
    claims: Mapping[str, object]
    #: Signs the answer, for a client that wants it signed (OIDC Core §5.3.2).
    signer: LoadedKey | None = None
    #: Whom it is encrypted to.
    recipient: Recipient | None = None


def answer_userinfo(
    db: Session, presented: PresentedToken, *, provider: Provider, now: datetime
) -> PersonClaims:
    """Return what the token lets its client know.

    Raises:
        BearerError: invalid_token with one text for every cause, or insufficient_scope.
    """
    live = check_access_token(
        db, presented.token, issuer=provider.issuer, keys=provider.keys, now=now
    )
    # For us alone: a token that others take as well could be brought here by one of them.
    if not isinstance(live, LiveToken) or live.audience != (provider.issuer,):
        scheme = "Bearer" if presented.proof is None else SCHEME
        raise BearerError("invalid_token", "The access token is not valid.", scheme=scheme)
    check_possession(db, presented, live, now=now)
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
    answer = PersonClaims(client.client_id, {**claims, "sub": live.subject})
    return _protect(db, answer, client, provider=provider, now=now)


def _protect(
    db: Session,
    answer: PersonClaims,
    client: RegisteredClient,
    *,
    provider: Provider,
    now: datetime,
) -> PersonClaims:
    """Say how an answer is signed and encrypted, where the client registered that."""
    wanted = client.userinfo_encryption
    # What is encrypted is signed as well: else anybody could have made it.
    alg = client.userinfo_signed_response_alg or ("RS256" if wanted else None)
    if alg is None:
        return answer
    signer = load_keys(db, keys=provider.keys, now=now).signer(alg)
    own = {"iss": provider.issuer, "aud": client.client_id}
    recipient = find_recipient(client, wanted, client_keys=provider.client_keys, now=now)
    if wanted is not None and recipient is None:
        raise BearerError("invalid_request", "The client has no key to encrypt to.", status=400)
    return PersonClaims(client.client_id, {**answer.claims, **own}, signer, recipient)
