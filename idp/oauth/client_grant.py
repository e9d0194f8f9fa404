"""The client-credentials grant: a token for the client itself (RFC 6749 §4.4)."""

from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from idp.oauth.client_authentication import require_confidential
from idp.oauth.code_grant import check_grant_allowed
from idp.oauth.tokens import UnsignedTokens, prepare_client_token
from idp.protocol.client import GrantType, RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.resources import DESCRIPTION, ERROR, asked_resources, is_within
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, join_scope, parse_scope

#: Scopes that mean something only when a person is there.
_OF_PERSONS = frozenset({OPENID, OFFLINE_ACCESS})


class ClientGrant(ClientCredentialsGrant):
    """Gives a confidential client a short token of its own; nothing is stored."""

    def validate_token_request(self) -> None:
        """Authenticate the client and look at the scope."""
        client = self.authenticate_token_endpoint_client()
        require_confidential(client)
        check_grant_allowed(client, GrantType.CLIENT_CREDENTIALS)
        self.request.client = client
        self.request.scope = _choose_scope(client, self.request.form.get("scope"))
        self.request.resources = asked_resources(self.request.call.params)
        if not is_within(self.request.resources, client.resources):
            raise EndpointError(ERROR, DESCRIPTION)

    def create_token_response(self) -> tuple[int, UnsignedTokens, object]:
        """Prepare the token; no refresh token (RFC 6749 §4.4.3)."""
        server = self.server
        tokens = prepare_client_token(
            server.db,
            self.request.client,
            self.request.scope,
            provider=server.provider,
            now=server.now,
            resources=self.request.resources,
        )
        return 200, tokens, self.TOKEN_RESPONSE_HEADER


def _choose_scope(client: RegisteredClient, text: str | None) -> str:
    allowed = client.scopes - _OF_PERSONS
    if text is None:
        return join_scope(allowed)
    asked = parse_scope(text)
    if asked is None or not allowed.issuperset(asked):
        raise EndpointError("invalid_scope", "A requested scope is not allowed for this client.")
    return join_scope(asked)
