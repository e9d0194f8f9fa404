"""Resource indicators: for which services an access token is (RFC 8707)."""

from collections.abc import Collection

from idp.protocol.client import RegisteredClient
from idp.protocol.errors import RedirectedError
from idp.protocol.params import Params

ERROR = "invalid_target"
DESCRIPTION = "A resource is not allowed for this client."


def check_resources(params: Params, client: RegisteredClient) -> None:
    """Every resource must be registered for the client, letter by letter (RFC 8707 §2.1)."""
    if not is_within(asked_resources(params), client.resources):
        raise RedirectedError(ERROR, DESCRIPTION)


def asked_resources(params: Params) -> tuple[str, ...]:
    """Return the resources of a request, each once, in the order they stand."""
    return tuple(dict.fromkeys(params.several.get("resource", ())))


def is_within(asked: Collection[str], granted: Collection[str]) -> bool:
    """Whether nothing is asked for beyond what was granted (RFC 8707 §2.2)."""
    return set(asked) <= set(granted)
