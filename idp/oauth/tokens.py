"""The tokens of one grant: everything is decided first, signed when it is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.delegation import Acting, describe_delegation
from idp.domain.grants.encryption import Recipient, find_recipient
from idp.domain.grants.keys import LoadedKey, load_keys
from idp.domain.grants.logout import session_at, subject_at
from idp.domain.grants.own_tokens import sign
from idp.domain.grants.standing import Family
from idp.domain.grants.userinfo import Asked, build_person_claims
from idp.oauth.provider import Provider
from idp.protocol import access_token, dpop
from idp.protocol.access_token import AccessTokenFacts, build_access_token, new_jti
from idp.protocol.client import RegisteredClient
from idp.protocol.details import read_details
from idp.protocol.errors import EndpointError
from idp.protocol.id_token import IdTokenFacts, build_id_token
from idp.protocol.scope import OPENID, split_scope


@dataclass(frozen=True)
class Granted:
    """What a client is about to get from one authorization."""

    client: RegisteredClient
    family: Family
    scope: str
    refresh_token: str | None
    #: The nonce of the request, only with the first ID token (OIDC Core §12.2).
    nonce: str | None = None
    #: What its state came to, likewise.
    state_hash: str | None = None
    #: The services that the access token is for; empty: those of the authorization.
    resources: tuple[str, ...] = ()

    @property
    def audience(self) -> tuple[str, ...]:
        """For whom the access token is, if for others than us (RFC 8707 §2.2)."""
        return self.resources or tuple(str(each) for each in self.family.facts.get("resources", ()))


@dataclass(frozen=True)
class UnsignedTokens:
    """A token response that only needs its signatures; no database any more."""

    access: AccessTokenFacts
    access_signer: LoadedKey
    id_token: IdTokenFacts | None
    id_signer: LoadedKey | None
    refresh_token: str | None
    now: datetime
    #: What kind of token this is, said only of exchanged ones (RFC 8693 §2.2.1).
    issued_token_type: str | None = None
    #: Whom the ID token is encrypted to, if its client wants that.
    recipient: Recipient | None = None

    def bound_to(self, key: str) -> "UnsignedTokens":
        """Return the same tokens for the holder of a key alone (RFC 9449 §5)."""
        return replace(self, access=replace(self.access, key=key))

    def sign(self) -> dict[str, object]:
        """Return the body of the response (RFC 6749 §5.1, OIDC Core §3.1.3.3)."""
        jti = new_jti(self.access.family_id)
        claims = build_access_token(self.access, jti=jti, now=self.now)
        token = sign(claims, self.access_signer, kind=access_token.TYPE)
        body: dict[str, object] = {
            "access_token": token,
            "token_type": "Bearer" if self.access.key is None else dpop.SCHEME,
            "expires_in": int(self.access.lifetime.total_seconds()),
            "scope": self.access.scope,
        }
        if self.id_token is not None and self.id_signer is not None:
            facts = build_id_token(
                self.id_token, access_token=token, alg=self.id_signer.alg, now=self.now
            )
            signed = sign(facts, self.id_signer)
            body["id_token"] = self.recipient.encrypt(signed) if self.recipient else signed
        if self.access.details:
            body["authorization_details"] = list(self.access.details)
        if self.refresh_token is not None:
            body["refresh_token"] = self.refresh_token
        if self.issued_token_type is not None:
            body["issued_token_type"] = self.issued_token_type
        return body


def prepare_tokens(
    db: Session, granted: Granted, *, provider: Provider, now: datetime
) -> UnsignedTokens:
    """Collect what the tokens of a person's authorization will say."""
    client, family = granted.client, granted.family
    loaded = load_keys(db, keys=provider.keys, now=now)
    has_id_token = OPENID in split_scope(granted.scope)
    subject = subject_at(client, family.account_id, keys=provider.keys)
    return UnsignedTokens(
        access=AccessTokenFacts(
            issuer=provider.issuer,
            audience=granted.audience or (provider.issuer,),
            client_id=client.client_id,
            subject=subject,
            scope=granted.scope,
            lifetime=provider.access_lifetime,
            family_id=family.id,
            acr=family.acr,
            authenticated_at=family.authenticated_at,
            details=granted_details(db, client, family, keys=provider.keys, now=now),
        ),
        access_signer=loaded.signer(access_token.ALGORITHM),
        id_token=_id_token(db, granted, subject, provider=provider, now=now)
        if has_id_token
        else None,
        id_signer=loaded.signer(client.id_token_signed_response_alg) if has_id_token else None,
        refresh_token=granted.refresh_token,
        now=now,
        recipient=_recipient(client, provider, now=now) if has_id_token else None,
    )


def _recipient(client: RegisteredClient, provider: Provider, *, now: datetime) -> Recipient | None:
    """Return whom the ID token is for alone; what was to be encrypted never goes out in clear.

    Raises:
        EndpointError: invalid_request, the client has no key that it could be encrypted to.
    """
    wanted = client.id_token_encryption
    found = find_recipient(client, wanted, client_keys=provider.client_keys, now=now)
    if wanted is not None and found is None:
        raise EndpointError("invalid_request", "The client has no key to encrypt to.")
    return found


def granted_details(
    db: Session, client: RegisteredClient, family: Family, *, keys: Keyring, now: datetime
) -> tuple[Mapping[str, object], ...]:
    """Return what the authorization lets the client do for a household, as it stands now."""
    detail = read_details(family.facts.get("details"))
    if detail is None:
        return ()
    acting = Acting(client, family.account_id, family.household_id)
    found = describe_delegation(db, detail, acting, keys=keys, now=now)
    return () if found is None else (found,)


def _id_token(
    db: Session, granted: Granted, subject: str, *, provider: Provider, now: datetime
) -> IdTokenFacts:
    family = granted.family
    by_name = frozenset(str(name) for name in family.facts.get("id_token_claims", ()))
    asked = Asked(
        client=granted.client,
        account_id=family.account_id,
        household_id=family.household_id,
        names=by_name,
        allowed_scopes=frozenset(str(name) for name in family.facts.get("consented", ())),
    )
    return IdTokenFacts(
        issuer=provider.issuer,
        client_id=granted.client.client_id,
        subject=subject,
        session=(
            None
            if family.session_id is None
            else session_at(granted.client, family.session_id, keys=provider.keys)
        ),
        acr=family.acr,
        amr=family.amr,
        authenticated_at=family.authenticated_at,
        nonce=granted.nonce,
        state_hash=granted.state_hash,
        lifetime=provider.id_lifetime,
        claims=build_person_claims(db, asked, keys=provider.keys, now=now) if by_name else {},
    )


def prepare_client_token(
    db: Session,
    client: RegisteredClient,
    scope: str,
    *,
    provider: Provider,
    now: datetime,
    resources: tuple[str, ...] = (),
) -> UnsignedTokens:
    """Collect what a client's own access token will say; no row is written for it.

    Its `sub` is the client, which is never a person's (RFC 9700 §4.15).
    """
    return UnsignedTokens(
        access=AccessTokenFacts(
            issuer=provider.issuer,
            audience=resources or (provider.issuer,),
            client_id=client.client_id,
            subject=client.client_id,
            scope=scope,
            lifetime=provider.access_lifetime,
        ),
        access_signer=load_keys(db, keys=provider.keys, now=now).signer(access_token.ALGORITHM),
        id_token=None,
        id_signer=None,
        refresh_token=None,
        now=now,
    )
