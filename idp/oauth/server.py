"""The Authlib seam: one authorization server for each request, every grant in one place."""

from collections.abc import Mapping
from datetime import datetime

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from sqlalchemy.orm import Session

from idp.oauth.calls import Answer, Call, check_form, refuse
from idp.oauth.client_authentication import authenticate_client
from idp.oauth.client_grant import ClientGrant
from idp.oauth.code_grant import CodeGrant
from idp.oauth.device_grant import DeviceGrant
from idp.oauth.exchange_grant import ExchangeGrant
from idp.oauth.proofs import require_key, resolve_key
from idp.oauth.provider import Provider
from idp.oauth.refresh_grant import RefreshGrant
from idp.oauth.tokens import UnsignedTokens
from idp.protocol import details
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.params import Fault

#: Authlib wants to see TLS in the address. Ours ends at the proxy, and the settings have been
#: checked at the start: an issuer without https exists on the loopback interface only.
_CHECKED_TRANSPORT = "https://checked-at-the-start/token"

#: Every grant that the token endpoint knows.
GRANTS = (CodeGrant, RefreshGrant, ClientGrant, DeviceGrant, ExchangeGrant)


class FormRequest(OAuth2Request):
    """A token request whose parameters come from the form alone."""

    def __init__(self, call: Call) -> None:
        super().__init__("POST", _CHECKED_TRANSPORT)
        self.call = call
        self.payload = BasicOAuth2Payload(dict(call.params.values))

    @property
    def form(self) -> Mapping[str, str]:
        """Return the parameters."""
        return self.call.params.values


class TokenServer(AuthorizationServer):
    """Dispatches a token request to its grant; made for one request, so it may hold its facts."""

    def __init__(self, db: Session, *, provider: Provider, now: datetime) -> None:
        super().__init__()
        self.db = db
        self.provider = provider
        self.now = now
        #: The key that the client has proved to hold: every token of the answer is bound to it.
        self.key: str | None = None
        for grant in GRANTS:
            self.register_grant(grant)

    def create_oauth2_request(self, request: Call) -> FormRequest:
        """Wrap a call of ours."""
        return FormRequest(request)

    def authenticate_client(
        self,
        request: FormRequest,
        methods: object,  # noqa: ARG002 - each client has one method, its own
        endpoint: str = "token",  # noqa: ARG002 - the same at every endpoint
    ) -> RegisteredClient:
        """Authenticate by the registered method alone (traps T8, T9, T10), and read the proof."""
        call, provider, now = request.call, self.provider, self.now
        client = authenticate_client(self.db, call, provider=provider, now=now)
        self.key = resolve_key(self.db, call, provider=provider, now=now)
        require_key(client, self.key)
        return client

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody: what happens is written to the audit."""

    def handle_response(self, status: int, body: UnsignedTokens, headers: object) -> UnsignedTokens:
        """Hand the tokens on unsigned: they are signed after the commit.

        Whatever the grant, they are bound to the key here, so that no grant can forget it.
        """
        assert status == 200
        del headers
        return body if self.key is None else body.bound_to(self.key)

    def handle_error_response(self, request: FormRequest, error: OAuth2Error) -> Answer:
        """Answer with our own text: Authlib's may quote the request."""
        return refuse(_translate(error), request.call)


def _translate(error: OAuth2Error) -> EndpointError:
    if error.error == "unsupported_grant_type":
        return EndpointError("unsupported_grant_type", "The grant_type is not supported.")
    return EndpointError(error.error, "The request was refused.", status=error.status_code)


def answer_token_call(
    db: Session, call: Call, *, provider: Provider, now: datetime
) -> UnsignedTokens | Answer:
    """Answer a call of the token endpoint; the caller commits, then signs.

    Refusals are answers, not exceptions: a code or a token that was used twice has ended its
    family, and that must be remembered.
    """
    try:
        _check_grant_type(call)
        check_form(call.params)
        _check_no_details(call)
        server = TokenServer(db, provider=provider, now=now)
        answer: UnsignedTokens | Answer = server.create_token_response(call)
    except EndpointError as error:
        return refuse(error, call)
    return answer


def _check_no_details(call: Call) -> None:
    """Refuse to narrow details here, where ignoring it would give more than was asked for."""
    if "authorization_details" in call.params.values:
        raise EndpointError(details.ERROR, "The details cannot be changed at this endpoint.")


def _check_grant_type(call: Call) -> None:
    """Refuse a grant type that is too long to be one as unsupported, not malformed (CD-08)."""
    fault = call.params.faults.get("grant_type")
    if fault not in (None, Fault.REPEATED):
        raise EndpointError("unsupported_grant_type", "The grant_type is not supported.")
