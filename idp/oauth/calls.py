"""A call of a client to one of our endpoints, and the answer it gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from idp.domain.grants.keys import LoadedKey
from idp.protocol.errors import EndpointError
from idp.protocol.params import Fault, Params

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Call:
    """What a client sent: the form, and the Authorization header if there was one."""

    params: Params
    authorization: str | None
    #: The peer's network address, for the audit.
    address: str | None = None
    #: What a proof of possession must be for, and the DPoP headers that came (RFC 9449).
    method: str = "POST"
    path: str = ""
    proofs: tuple[str, ...] = ()

    @property
    def spends_proof(self) -> bool:
        """Whether it brings something that works once, whose use has to be written down."""
        return bool(self.proofs) or "client_assertion" in self.params.values


@dataclass(frozen=True)
class Answer:
    """A JSON answer (RFC 6749 §5); `reason` is the key of a refusal for the log."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    reason: str | None = None
    client_id: str | None = None
    #: The key for whoever asks for this answer as a JWT (RFC 9701).
    signer: LoadedKey | None = None


def refuse(error: EndpointError, call: Call) -> Answer:
    """Return the answer to a refused call.

    WWW-Authenticate is added when the client used the header (RFC 6749 §5.2).
    """
    headers = dict(error.headers)
    if error.status == 401 and call.authorization is not None:
        headers["WWW-Authenticate"] = 'Basic realm="kosodate"'
    return Answer(
        status=error.status,
        body={"error": error.code, "error_description": error.description},
        headers=headers,
        reason=error.reason,
    )


def check_form(params: Params) -> None:
    """Refuse parameters that stand twice, are too long or hold controls (RFC 6749 §3.2).

    Raises:
        EndpointError: invalid_request.
    """
    if Fault.REPEATED in params.faults.values():
        raise EndpointError("invalid_request", "A parameter stands more than once.")
    if params.faults:
        raise EndpointError("invalid_request", "A parameter is malformed.")
