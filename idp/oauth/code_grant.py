"""The authorization-code grant: Authlib's dispatch, our rules."""

from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant

from idp.domain.grants.authorization_codes import CodeRefusal, PresentedCode, redeem_code
from idp.domain.grants.refresh_tokens import issue_refresh_token
from idp.domain.grants.standing import Family, Void
from idp.domain.upkeep.audit import Act, Actor, record
from idp.oauth.tokens import Granted, UnsignedTokens, prepare_tokens
from idp.protocol import pkce
from idp.protocol.client import GrantType, RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.resources import DESCRIPTION, ERROR, asked_resources


def check_grant_allowed(client: RegisteredClient, grant: GrantType) -> None:
    """Refuse a grant that the client is not registered for.

    Raises:
        EndpointError: unauthorized_client.
    """
    if grant not in client.grant_types:
        raise EndpointError("unauthorized_client", "The client may not use this grant.")


class CodeGrant(AuthorizationCodeGrant):
    """Redeems the code before any token exists, in one place, atomically."""

    def validate_token_request(self) -> None:
        """Authenticate the client, then use up the code (RFC 6749 §4.1.3, RFC 7636 §4.6)."""
        client = self.authenticate_token_endpoint_client()
        check_grant_allowed(client, GrantType.AUTHORIZATION_CODE)
        form = self.request.form
        code, verifier = form.get("code"), form.get("code_verifier", "")
        if code is None:
            raise EndpointError("invalid_request", "The code is missing.")
        if verifier and not pkce.is_verifier(verifier):
            raise EndpointError("invalid_request", "The code_verifier is malformed.")
        presented = PresentedCode(
            code=code,
            client_id=client.client_id,
            redirect_uri=form.get("redirect_uri", ""),
            code_verifier=verifier,
            key=self.server.key,
            resources=asked_resources(self.request.call.params),
        )
        outcome = redeem_code(self.server.db, presented, now=self.server.now)
        self._record(client, outcome)
        if outcome is CodeRefusal.TARGET:
            raise EndpointError(ERROR, DESCRIPTION, reason=outcome.value)
        if not isinstance(outcome, Family):
            raise EndpointError(
                "invalid_grant", "The code is not valid any more.", reason=outcome.value
            )
        self.request.client = client
        self.request.authorization_code = outcome

    def _record(self, client: RegisteredClient, outcome: Family | CodeRefusal | Void) -> None:
        actor = Actor(kind="client", client_id=client.client_id, address=self.request.call.address)
        if isinstance(outcome, Family):
            act = Act("code.redeemed", subject_id=outcome.account_id)
        else:
            act = Act("code.refused", reason=outcome.value)
        record(self.server.db, act, actor=actor, now=self.server.now)

    def create_token_response(self) -> tuple[int, UnsignedTokens, object]:
        """Prepare the tokens of a redeemed code (RFC 6749 §4.1.4)."""
        server = self.server
        family: Family = self.request.authorization_code
        client: RegisteredClient = self.request.client
        refresh_token = None
        if GrantType.REFRESH_TOKEN in client.grant_types:
            refresh_token = issue_refresh_token(
                server.db,
                family,
                idle_lifetime=server.provider.refresh_idle,
                now=server.now,
                key=server.key if client.is_public else None,
            )
        granted = Granted(
            client=client,
            family=family,
            scope=family.scope,
            refresh_token=refresh_token,
            nonce=family.facts.get("nonce"),
            state_hash=family.facts.get("s_hash"),
            resources=asked_resources(self.request.call.params),
        )
        tokens = prepare_tokens(server.db, granted, provider=server.provider, now=server.now)
        return 200, tokens, self.TOKEN_RESPONSE_HEADER
