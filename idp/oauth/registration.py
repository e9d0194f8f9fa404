"""Answers to services that register and change themselves (RFC 7591 §3.2, RFC 7592 §3)."""

from collections.abc import Mapping
from datetime import datetime

from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.grants.self_registration import SelfRegistered
from idp.oauth.calls import Answer
from idp.protocol.addresses import AddressRules
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.export import write_metadata
from idp.protocol.registration import MetadataError, Registration, parse_registration
from idp.protocol.self_registration import describe_faults

_MAX_TOKEN = 512
_CHALLENGE: Mapping[str, str] = {
    "WWW-Authenticate": 'Bearer realm="kosodate", error="invalid_token"'
}
#: What a registrant can do something about, in words; the rest is ours.
_WORDS = {
    RegistrationRefusal.SECTOR_NEEDED: "redirect_uris: several hosts need sector_identifier_uri",
    RegistrationRefusal.SECTOR_FIXED: "redirect_uris: the sector of a client cannot change",
    RegistrationRefusal.SECTOR_UNPROVEN: (
        "sector_identifier_uri: must answer with a JSON array that lists every redirect URI"
    ),
    RegistrationRefusal.KEY_MISSING: "A signing algorithm is not available at the moment.",
}


def resolve_token(authorization: str | None) -> str:
    """Return the Bearer token of a call.

    Raises:
        EndpointError: invalid_token, in the same words as for a token that nobody has.
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= _MAX_TOKEN:
        raise refused_token()
    return token


def refused_token() -> EndpointError:
    """Return the one answer to every token that opens nothing (RFC 7592 §2.1)."""
    return EndpointError(
        "invalid_token", "The access token is not valid.", status=401, reason="registration_token"
    )


def read_metadata(document: Mapping[str, object], *, rules: AddressRules) -> Registration:
    """Read the metadata of a registrant.

    Raises:
        EndpointError: invalid_redirect_uri or invalid_client_metadata.
    """
    try:
        return parse_registration(document, rules=rules)
    except MetadataError as error:
        raise describe_faults(error) from None


def refused_registration(refusal: RegistrationRefusal) -> EndpointError:
    """Return the answer to sound metadata that could not be taken."""
    words = _WORDS.get(refusal, "The metadata cannot be registered.")
    return EndpointError("invalid_client_metadata", words, reason=refusal.value)


def answer_registered(made: SelfRegistered, *, issuer: str, now: datetime) -> Answer:
    """Answer a registration: everything registered, and the secrets this once."""
    body = describe(made.client, made.registration_token, issuer=issuer, secret=made.secret)
    body["client_id_issued_at"] = int(now.timestamp())
    return Answer(201, body, client_id=made.client.client_id)


def describe(
    client: RegisteredClient, token: str, *, issuer: str, secret: str | None = None
) -> dict[str, object]:
    """Return what a client is told of itself (RFC 7592 §3).

    The secret stands there only when it has just been made: we keep its digest alone. The
    token is the one the client itself has brought.
    """
    body: dict[str, object] = {
        **write_metadata(client),
        "client_id": client.client_id,
        "registration_client_uri": f"{issuer}/register/{client.client_id}",
        "registration_access_token": token,
    }
    if secret is not None:
        body |= {"client_secret": secret, "client_secret_expires_at": 0}
    return body


def refuse_call(error: EndpointError) -> Answer:
    """Answer an error (RFC 7591 §3.2.2, RFC 6750 §3)."""
    return Answer(
        error.status,
        {"error": error.code, "error_description": error.description},
        headers=_CHALLENGE if error.status == 401 else {},
        reason=error.reason,
    )
