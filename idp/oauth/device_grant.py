"""The device grant: Authlib's dispatch, our rules (RFC 8628 §3.4, §3.5)."""

from collections.abc import Mapping
from types import MappingProxyType

from authlib.oauth2.rfc8628 import DeviceCodeGrant as AuthlibDeviceCodeGrant

from idp.domain.grants.device_codes import DeviceRefusal, redeem_device
from idp.domain.grants.refresh_tokens import issue_refresh_token
from idp.domain.grants.standing import Family, Void
from idp.domain.upkeep.audit import Act, Actor, record
from idp.oauth.code_grant import check_grant_allowed
from idp.oauth.tokens import Granted, UnsignedTokens, prepare_tokens
from idp.protocol.client import GrantType, RegisteredClient
from idp.protocol.errors import EndpointError

_ERRORS: Mapping[DeviceRefusal | Void, tuple[str, str]] = MappingProxyType(
    {
        DeviceRefusal.PENDING: ("authorization_pending", "The person has not decided yet."),
        DeviceRefusal.TOO_FAST: ("slow_down", "Wait five seconds more between two polls."),
        DeviceRefusal.EXPIRED: ("expired_token", "The device code has expired."),
        DeviceRefusal.DENIED: ("access_denied", "The person or the provider refused."),
    }
)
#: Waiting is what a device does: no row in the audit for every poll.
_WAITING = frozenset({DeviceRefusal.PENDING, DeviceRefusal.TOO_FAST})


class DeviceGrant(AuthlibDeviceCodeGrant):
    """Redeems a device code once, atomically, after the person has allowed it."""

    def validate_token_request(self) -> None:
        """Authenticate the client, then use up its device code."""
        client = self.authenticate_token_endpoint_client()
        check_grant_allowed(client, GrantType.DEVICE_CODE)
        device_code = self.request.form.get("device_code")
        if device_code is None:
            raise EndpointError("invalid_request", "The device_code is missing.")
        server = self.server
        outcome = redeem_device(server.db, device_code, client.client_id, now=server.now)
        self._record(client, outcome)
        if not isinstance(outcome, Family):
            bad = ("invalid_grant", "The device code is not valid any more.")
            code, description = _ERRORS.get(outcome, bad)
            raise EndpointError(code, description, reason=outcome.value)
        self.request.client = client
        self.request.credential = outcome

    def _record(self, client: RegisteredClient, outcome: Family | DeviceRefusal | Void) -> None:
        actor = Actor(kind="client", client_id=client.client_id, address=self.request.call.address)
        if isinstance(outcome, Family):
            act = Act("device.redeemed", subject_id=outcome.account_id)
        elif outcome in _WAITING:
            return
        else:
            act = Act("device.refused", reason=outcome.value)
        record(self.server.db, act, actor=actor, now=self.server.now)

    def create_token_response(self) -> tuple[int, UnsignedTokens, object]:
        """Prepare the tokens; a refresh token only where offline access was consented to.

        No session of a browser stands behind a device, so nothing else would end it.
        """
        server = self.server
        family: Family = self.request.credential
        client: RegisteredClient = self.request.client
        refresh_token = None
        if family.is_offline and GrantType.REFRESH_TOKEN in client.grant_types:
            refresh_token = issue_refresh_token(
                server.db,
                family,
                idle_lifetime=server.provider.refresh_idle,
                now=server.now,
                key=server.key if client.is_public else None,
            )
        granted = Granted(
            client=client, family=family, scope=family.scope, refresh_token=refresh_token
        )
        tokens = prepare_tokens(server.db, granted, provider=server.provider, now=server.now)
        return 200, tokens, self.TOKEN_RESPONSE_HEADER
