"""The endpoint where a device asks for its codes (RFC 8628 §3.1)."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.device_codes import INTERVAL, LIFETIME, OpenedDevice, open_device
from idp.domain.upkeep.audit import Act, Actor, record
from idp.oauth.calls import Answer, Call, check_form, refuse
from idp.oauth.client_authentication import authenticate_client
from idp.oauth.code_grant import check_grant_allowed
from idp.oauth.provider import Provider
from idp.protocol.client import GrantType, RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.scope import join_scope, parse_scope
from idp.protocol.user_code import show_user_code


def answer_device_call(db: Session, call: Call, *, provider: Provider, now: datetime) -> Answer:
    """Check who asks for what, and make the two codes."""
    try:
        check_form(call.params)
        client = authenticate_client(db, call, provider=provider, now=now)
        check_grant_allowed(client, GrantType.DEVICE_CODE)
        scope = _choose_scope(client, call.params.values.get("scope"))
    except EndpointError as error:
        return refuse(error, call)
    opened = open_device(db, client.client_id, scope, keys=provider.keys, now=now)
    actor = Actor(kind="client", client_id=client.client_id, address=call.address)
    record(db, Act("device.opened", detail={"scope": scope}), actor=actor, now=now)
    return Answer(status=200, body=_describe(opened, provider), client_id=client.client_id)


def _choose_scope(client: RegisteredClient, text: str | None) -> str:
    """Return what is asked for; nothing is asked for by saying nothing (RFC 6749 §3.3)."""
    asked = None if text is None else parse_scope(text)
    if not asked or not client.scopes.issuperset(asked):
        raise EndpointError("invalid_scope", "The scope is missing or not allowed for this client.")
    return join_scope(asked)


def _describe(opened: OpenedDevice, provider: Provider) -> dict[str, object]:
    shown = show_user_code(opened.user_code)
    return {
        "device_code": opened.device_code,
        "user_code": shown,
        "verification_uri": f"{provider.issuer}/device",
        "verification_uri_complete": f"{provider.issuer}/device?user_code={shown}",
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": int(INTERVAL.total_seconds()),
    }
