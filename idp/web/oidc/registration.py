"""Registration of clients by themselves, and what they may do with it later (RFC 7591, 7592)."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from idp.base.secret import digest, equal
from idp.db.session import reading, transaction
from idp.domain.grants.client_addresses import gather
from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.grants.self_registration import (
    Admission,
    Arrival,
    find_admission,
    find_self,
    find_terms,
    note_refusal,
    register_self,
    remove_self,
    replace_self,
)
from idp.oauth.calls import Answer
from idp.oauth.registration import (
    answer_registered,
    describe,
    read_metadata,
    refuse_call,
    refused_registration,
    refused_token,
    resolve_token,
)
from idp.protocol.addresses import AddressRules
from idp.protocol.client import RegisteredClient
from idp.protocol.errors import EndpointError
from idp.protocol.export import write_metadata
from idp.protocol.self_registration import MAX_BYTES, RegistrantPolicy, narrow_document, parse_body
from idp.web.client_calls import send
from idp.web.deps import peer_address, services
from idp.web.guards import client_endpoint
from idp.web.limits import check_rate

bp = Blueprint("oidc_registration", __name__)

_STRICT = RegistrantPolicy(scopes=frozenset())


@bp.post("/register")
@client_endpoint
def register() -> Response:
    """Take a new client, if its initial access token allows it (RFC 7591 §3.1)."""
    return _answer(_register)


@bp.get("/register/<client_id>")
@client_endpoint
def show(client_id: str) -> Response:
    """Tell a client what is registered of it (RFC 7592 §2.1)."""
    return _answer(lambda: _show(client_id))


@bp.put("/register/<client_id>")
@client_endpoint
def change(client_id: str) -> Response:
    """Replace what a client has registered (RFC 7592 §2.2)."""
    return _answer(lambda: _change(client_id))


@bp.delete("/register/<client_id>")
@client_endpoint
def remove(client_id: str) -> Response:
    """Take a client away (RFC 7592 §2.3)."""
    answer = _answer(lambda: _remove(client_id))
    if answer.status_code == 204:
        answer.set_data(b"")
        del answer.headers["Content-Type"]
    return answer


def _answer(operation: Callable[[], Answer]) -> Response:
    check_rate()
    try:
        return send(operation())
    except EndpointError as error:
        return send(refuse_call(error))


def _register() -> Answer:
    if services().settings.registration.mode == "closed":
        raise EndpointError("access_denied", "Registration is closed.", status=403)
    token = resolve_token(request.headers.get("Authorization"))
    now = services().clock()
    with reading(services().sessions) as db:
        admission = find_admission(db, token, now=now)
    if admission is None:
        raise refused_token()
    try:
        return _register_admitted(token, admission)
    except EndpointError as error:
        with transaction(services().sessions) as db:
            note_refusal(db, admission, error.description, address=peer_address(), now=now)
        raise


def _register_admitted(token: str, admission: Admission) -> Answer:
    now = services().clock()
    document = narrow_document(_read_body(), admission.policy)
    registration = read_metadata(document, rules=_rules())
    gathered = gather(registration.metadata, services().http)
    with transaction(services().sessions) as db:
        outcome = register_self(
            db, token, registration, gathered=gathered, arrival=_arrival(), now=now
        )
        if outcome is None:
            raise refused_token()
        if isinstance(outcome, RegistrationRefusal):
            raise refused_registration(outcome)
    return answer_registered(outcome, issuer=services().settings.provider.issuer, now=now)


def _show(client_id: str) -> Answer:
    client, token = _authenticate(client_id)
    return Answer(200, _describe(client, token))


def _change(client_id: str) -> Answer:
    client, token = _authenticate(client_id)
    content = _read_body()
    _check_own(content, client)
    with reading(services().sessions) as db:
        terms = find_terms(db, client_id)
    policy = terms.policy if terms else _STRICT
    document = narrow_document(content, policy, known=write_metadata(client))
    registration = read_metadata(document, rules=_rules())
    gathered = gather(registration.metadata, services().http, client)
    with transaction(services().sessions) as db:
        outcome = replace_self(
            db,
            client_id,
            registration,
            gathered=gathered,
            arrival=_arrival(),
            now=services().clock(),
        )
        if isinstance(outcome, RegistrationRefusal):
            raise refused_registration(outcome)
    return Answer(200, _describe(outcome.client, token, outcome.secret))


def _remove(client_id: str) -> Answer:
    _authenticate(client_id)
    with transaction(services().sessions) as db:
        remove_self(db, client_id, address=peer_address(), now=services().clock())
    return Answer(204, {})


def _authenticate(client_id: str) -> tuple[RegisteredClient, str]:
    """Return the client that calls about itself, with its token.

    Raises:
        EndpointError: invalid_token, whether the client is unknown or the token another's.
    """
    token = resolve_token(request.headers.get("Authorization"))
    with reading(services().sessions) as db:
        client = find_self(db, client_id, token)
    if client is None:
        raise refused_token()
    return client, token


def _check_own(content: dict[str, object], client: RegisteredClient) -> None:
    """Refuse another client's id or a secret that is not its own (RFC 7592 §2.2)."""
    if content.get("client_id") != client.client_id:
        raise EndpointError("invalid_client_metadata", "client_id: must be that of the address")
    secret = content.get("client_secret")
    if secret is None:
        return
    now = services().clock()
    sent = digest(secret) if isinstance(secret, str) else b""
    valid = (each.digest for each in client.secrets if each.is_valid(now=now))
    if not any(equal(sent, each) for each in valid):
        raise EndpointError("invalid_client_metadata", "client_secret: must be the present one")


def _read_body() -> dict[str, object]:
    if request.mimetype != "application/json" or (request.content_length or 0) > MAX_BYTES:
        return parse_body(b"")
    return parse_body(request.get_data())


def _describe(client: RegisteredClient, token: str, secret: str | None = None) -> dict[str, object]:
    return describe(client, token, issuer=services().settings.provider.issuer, secret=secret)


def _arrival() -> Arrival:
    return Arrival(peer_address(), services().keys)


def _rules() -> AddressRules:
    return AddressRules(allow_loopback_http=services().settings.dev.allow_http)
