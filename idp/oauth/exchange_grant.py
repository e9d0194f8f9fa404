"""Token exchange: a service gets a token for another service's API (RFC 8693).

The acting person stays in `sub`, under the identifier by which the other service knows her.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin

from idp.domain.grants.access_tokens import LiveToken, check_access_token
from idp.domain.grants.exchange import find_target, household_at, may_exchange
from idp.domain.grants.keys import load_keys
from idp.domain.grants.logout import subject_at
from idp.domain.grants.standing import Family
from idp.domain.upkeep.audit import Act, Actor, record
from idp.oauth.client_authentication import require_confidential
from idp.oauth.code_grant import check_grant_allowed
from idp.oauth.tokens import UnsignedTokens
from idp.protocol import access_token
from idp.protocol.access_token import AccessTokenFacts
from idp.protocol.client import GrantType, RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.params import Params
from idp.protocol.resources import DESCRIPTION, ERROR
from idp.protocol.scope import is_narrower, join_scope, parse_scope, split_scope

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
JWT = "urn:ietf:params:oauth:token-type:jwt"
#: Ours are both (RFC 8693 §3).
_TYPES = frozenset({ACCESS_TOKEN, JWT})
_HOUSEHOLD = "household"


@dataclass(frozen=True)
class _Exchange:
    """A request that passed every check."""

    live: LiveToken
    family: Family
    resource: str
    target: RegisteredClient
    scope: str
    issued_type: str


class ExchangeGrant(BaseGrant, TokenEndpointMixin):
    """Gives a narrower token for another audience; it ends with the one that was brought."""

    GRANT_TYPE = GrantType.TOKEN_EXCHANGE.value

    def validate_token_request(self) -> None:
        """Authenticate the client, then look at the token it brings and at what it wants."""
        client = self.authenticate_token_endpoint_client()
        require_confidential(client)
        check_grant_allowed(client, GrantType.TOKEN_EXCHANGE)
        params = self.request.call.params
        issued_type = _check_types(params)
        live, family = self._read_subject(client, params.values.get("subject_token"))
        self._require_key(client, live)
        resource = _choose_resource(client, params)
        target = find_target(self.server.db, resource)
        if target is None:
            raise EndpointError(ERROR, DESCRIPTION, reason="exchange_target_unknown")
        scope = _choose_scope(live, params.values.get("scope"))
        self.request.client = client
        self.request.credential = _Exchange(live, family, resource, target, scope, issued_type)

    def _read_subject(
        self, client: RegisteredClient, token: str | None
    ) -> tuple[LiveToken, Family]:
        """Return a person's token that may still be used, and by this client."""
        server = self.server
        if token is None:
            raise EndpointError("invalid_request", "The subject_token is missing.")
        live = check_access_token(
            server.db,
            token,
            issuer=server.provider.issuer,
            keys=server.provider.keys,
            now=server.now,
        )
        if not isinstance(live, LiveToken):
            raise _refused_subject(live.value)
        if not may_exchange(client, live):
            raise _refused_subject("exchange_not_for_client")
        if live.family is None:
            raise _refused_subject("exchange_without_person")
        return live, live.family

    def _require_key(self, client: RegisteredClient, live: LiveToken) -> None:
        """A bound token never becomes one that anybody can use (RFC 9449 §7).

        The client it was given to proves the same key; a service it is meant for has seen that
        proof at its own door and brings one of its own key.
        """
        key = self.server.key
        is_owner = live.client_id == client.client_id
        if live.key is not None and (key is None or (is_owner and key != live.key)):
            raise EndpointError(
                "invalid_dpop_proof",
                "The subject token is bound to a key.",
                reason="exchange_key",
            )

    def create_token_response(self) -> tuple[int, UnsignedTokens, object]:
        """Prepare the token; no refresh token, and no longer life than the one brought."""
        server = self.server
        client: RegisteredClient = self.request.client
        wanted: _Exchange = self.request.credential
        act = Act(
            "token.exchanged",
            subject_id=wanted.family.account_id,
            detail={"target": wanted.target.client_id, "scope": wanted.scope},
        )
        actor = Actor(kind="client", client_id=client.client_id, address=self.request.call.address)
        record(server.db, act, actor=actor, now=server.now)
        tokens = UnsignedTokens(
            access=self._facts(client, wanted),
            access_signer=load_keys(server.db, keys=server.provider.keys, now=server.now).signer(
                access_token.ALGORITHM
            ),
            id_token=None,
            id_signer=None,
            refresh_token=None,
            now=server.now,
            issued_token_type=wanted.issued_type,
        )
        return 200, tokens, self.TOKEN_RESPONSE_HEADER

    def _facts(self, client: RegisteredClient, wanted: _Exchange) -> AccessTokenFacts:
        provider, family = self.server.provider, wanted.family
        ends = datetime.fromtimestamp(wanted.live.expires_at, tz=UTC)
        shows_household = _HOUSEHOLD in split_scope(wanted.scope)
        household = None
        if shows_household and family.household_id is not None:
            household = household_at(
                self.server.db, wanted.target, family.household_id, keys=provider.keys
            )
        return AccessTokenFacts(
            issuer=provider.issuer,
            audience=(wanted.resource,),
            client_id=client.client_id,
            subject=subject_at(wanted.target, family.account_id, keys=provider.keys),
            scope=wanted.scope,
            lifetime=min(provider.access_lifetime, ends - self.server.now),
            family_id=family.id,
            acr=family.acr,
            authenticated_at=family.authenticated_at,
            household=household,
        )


def _refused_subject(reason: str) -> EndpointError:
    """Return the one answer to every token that cannot be exchanged (RFC 8693 §2.2.2)."""
    return EndpointError("invalid_request", "The subject_token is not valid.", reason=reason)


def _check_types(params: Params) -> str:
    """Return the type of the token that is issued; nobody acts for the person (§1.16)."""
    values = params.values
    if {"actor_token", "actor_token_type"} & set(values):
        raise EndpointError("invalid_request", "An actor_token is not supported.")
    if values.get("subject_token_type") not in _TYPES:
        raise EndpointError("invalid_request", "The subject_token_type is not supported.")
    wanted = values.get("requested_token_type", ACCESS_TOKEN)
    if wanted not in _TYPES:
        raise EndpointError("invalid_request", "The requested_token_type is not supported.")
    return wanted


def _choose_resource(client: RegisteredClient, params: Params) -> str:
    """Return the one service the token is for; its name may stand as resource or as audience."""
    several = params.several
    asked = {*several.get("resource", ()), *several.get("audience", ())}
    if len(asked) != 1 or not asked <= set(client.resources):
        raise EndpointError(ERROR, DESCRIPTION, reason="exchange_target")
    return asked.pop()


def _choose_scope(live: LiveToken, text: str | None) -> str:
    """Return what is asked for of what the token has; without a wish, all of it."""
    if text is None:
        return live.scope
    asked = parse_scope(text)
    if not asked or not is_narrower(join_scope(asked), live.scope):
        raise EndpointError("invalid_scope", "More was asked for than the subject token has.")
    return join_scope(asked)
