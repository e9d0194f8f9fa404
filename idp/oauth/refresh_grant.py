"""The refresh grant: Authlib's dispatch, our rotation."""

from authlib.oauth2.rfc6749.grants import RefreshTokenGrant

from idp.domain.grants.refresh_tokens import (
    PresentedRefreshToken,
    Refreshed,
    RefreshRefusal,
    Rotation,
    redeem_refresh_token,
)
from idp.domain.upkeep.audit import Actor
from idp.oauth.code_grant import check_grant_allowed
from idp.oauth.tokens import Granted, UnsignedTokens, prepare_tokens
from idp.protocol.client import GrantType, RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.resources import DESCRIPTION, ERROR, asked_resources
from idp.protocol.scope import join_scope, parse_scope


class RefreshGrant(RefreshTokenGrant):
    """Uses a refresh token in one conditional write; a second use ends the family."""

    def validate_token_request(self) -> None:
        """Authenticate the client, then use the token (RFC 6749 §6)."""
        client = self.authenticate_token_endpoint_client()
        check_grant_allowed(client, GrantType.REFRESH_TOKEN)
        token = self.request.form.get("refresh_token")
        if token is None:
            raise EndpointError("invalid_request", "The refresh_token is missing.")
        presented = PresentedRefreshToken(
            token=token,
            client_id=client.client_id,
            scope=_asked_scope(self.request.form.get("scope")),
            rotation=Rotation.ALWAYS if client.is_public else Rotation.NEVER,
            idle_lifetime=self.server.provider.refresh_idle,
            key=self.server.key,
            resources=asked_resources(self.request.call.params),
        )
        outcome = redeem_refresh_token(
            self.server.db,
            presented,
            keys=self.server.provider.keys,
            actor=Actor(
                kind="client", client_id=client.client_id, address=self.request.call.address
            ),
            now=self.server.now,
        )
        if outcome is RefreshRefusal.SCOPE:
            raise EndpointError("invalid_scope", "More was asked for than was granted.")
        if outcome is RefreshRefusal.TARGET:
            raise EndpointError(ERROR, DESCRIPTION, reason=outcome.value)
        if not isinstance(outcome, Refreshed):
            raise EndpointError(
                "invalid_grant", "The refresh token is not valid any more.", reason=outcome.value
            )
        self.request.client = client
        self.request.refresh_token = outcome

    def create_token_response(self) -> tuple[int, UnsignedTokens, object]:
        """Prepare the new tokens; the ID token repeats when the person signed in (§12.2)."""
        client: RegisteredClient = self.request.client
        used: Refreshed = self.request.refresh_token
        granted = Granted(
            client=client,
            family=used.family,
            scope=used.scope,
            refresh_token=used.new_token,
            resources=asked_resources(self.request.call.params),
        )
        server = self.server
        tokens = prepare_tokens(server.db, granted, provider=server.provider, now=server.now)
        return 200, tokens, self.TOKEN_RESPONSE_HEADER


def _asked_scope(text: str | None) -> str | None:
    if text is None:
        return None
    scopes = parse_scope(text)
    if scopes is None:
        raise EndpointError("invalid_scope", "The scope is malformed.")
    return join_scope(scopes) or None
