"""Client metadata: how a client is secured, and what it may ask beyond the code flow."""

from dataclasses import replace

from idp.base.url import origin_of
from idp.protocol.addresses import AddressRules, find_service_fault
from idp.protocol.client import AuthMethod, ClientMetadata, Encryption, SecurityProfile
from idp.protocol.document import Document
from idp.protocol.events import SUPPORTED as EVENTS
from idp.protocol.jwk import (
    ASSERTION_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    ENCRYPTION_METHODS,
    FAPI_ALGORITHMS,
    ID_TOKEN_ALGORITHMS,
    SECRET_ALGORITHM,
)

#: RFC 9396: for whom the person acts.
DELEGATION = "kosodate_delegation"
DETAILS_TYPES = (DELEGATION,)
_DEFAULT_ENC = "A128CBC-HS256"


def add_security(
    document: Document, rules: AddressRules, metadata: ClientMetadata
) -> ClientMetadata:
    """Add what FAPI 2.0, JAR, JARM, PAR, DPoP, RAR and encryption need to know."""
    return replace(
        _add_endpoints(document, rules, metadata),
        profile=document.take_choice("kosodate_profile", SecurityProfile, SecurityProfile.OPENID),
        request_object_signing_alg=document.take_one_of(
            "request_object_signing_alg", ASSERTION_ALGORITHMS
        ),
        require_signed_request_object=document.take_flag(
            "require_signed_request_object", default=False
        ),
        require_pushed_authorization_requests=document.take_flag(
            "require_pushed_authorization_requests", default=False
        ),
        dpop_bound_access_tokens=document.take_flag("dpop_bound_access_tokens", default=False),
        authorization_signed_response_alg=_signed(document, "authorization"),
        userinfo_signed_response_alg=_signed(document, "userinfo"),
        userinfo_encryption=_encryption(document, "userinfo"),
        id_token_encryption=_encryption(document, "id_token"),
        introspection_signed_response_alg=_signed(document, "introspection"),
        authorization_details_types=_known(document, "authorization_details_types", DETAILS_TYPES),
        frontchannel_logout_session_required=document.take_flag(
            "frontchannel_logout_session_required", default=False
        ),
        events=_known(document, "kosodate_events", EVENTS),
    )


def _add_endpoints(
    document: Document, rules: AddressRules, metadata: ClientMetadata
) -> ClientMetadata:
    return replace(
        metadata,
        jwks_uri=take_service_uri(document, "jwks_uri", rules),
        sector_identifier_uri=take_service_uri(document, "sector_identifier_uri", rules),
        request_uris=_request_uris(document, rules),
        frontchannel_logout_uri=take_service_uri(document, "frontchannel_logout_uri", rules),
        resources=_service_uris(document, "kosodate_resources", rules),
        audiences=_service_uris(document, "kosodate_audiences", rules),
        event_endpoint=take_service_uri(document, "kosodate_event_endpoint", rules),
    )


def take_service_uri(document: Document, name: str, rules: AddressRules) -> str | None:
    """Take an address that we call or show."""
    uri = document.take_text(name)
    if uri is None:
        return None
    reason = find_service_fault(uri, rules=rules)
    if reason is not None:
        document.fault(name, reason)
    return uri


def _service_uris(document: Document, name: str, rules: AddressRules) -> tuple[str, ...]:
    uris = document.take_list(name)
    for place, uri in enumerate(uris):
        reason = find_service_fault(uri, rules=rules)
        if reason is not None:
            document.fault(f"{name}[{place}]", reason)
    return uris


def _request_uris(document: Document, rules: AddressRules) -> tuple[str, ...]:
    """Read the addresses of request objects; a fragment is a hash of the content (§6.2)."""
    uris = document.take_list("request_uris")
    for place, uri in enumerate(uris):
        reason = find_service_fault(uri.partition("#")[0], rules=rules)
        if reason is not None:
            document.fault(f"request_uris[{place}]", reason)
    return uris


def _signed(document: Document, what: str) -> str | None:
    return document.take_one_of(f"{what}_signed_response_alg", ID_TOKEN_ALGORITHMS)


def _encryption(document: Document, what: str) -> Encryption | None:
    alg = document.take_one_of(f"{what}_encrypted_response_alg", ENCRYPTION_ALGORITHMS)
    enc = document.take_one_of(f"{what}_encrypted_response_enc", ENCRYPTION_METHODS)
    if alg is None:
        if enc is not None:
            document.fault(f"{what}_encrypted_response_enc", "alg_needed")
        return None
    return Encryption(alg, enc or _DEFAULT_ENC)


def _known(document: Document, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    values = document.take_list(name)
    if not set(values) <= set(known):
        document.fault(name, "unsupported")
    return values


def check_security(document: Document, metadata: ClientMetadata) -> None:
    """Look at what only the whole tells of a client's keys and profile."""
    _check_keys(document, metadata)
    if metadata.events and metadata.event_endpoint is None:
        document.fault("kosodate_event_endpoint", "needed")
    if metadata.is_fapi:
        _check_fapi(document, metadata)
    if not document.faults:
        _check_frame(document, metadata)


def _check_keys(document: Document, metadata: ClientMetadata) -> None:
    has_keys = metadata.jwks is not None or metadata.jwks_uri is not None
    if metadata.jwks is not None and metadata.jwks_uri is not None:
        # RFC 7591 §2: the two must not stand together.
        document.fault("jwks_uri", "keys_twice")
    signs = metadata.token_endpoint_auth_signing_alg
    if signs is not None and (signs == SECRET_ALGORITHM) != metadata.signs_with_secret:
        # RFC 8725 §3.2: a secret signs by HMAC, a key never does.
        document.fault("token_endpoint_auth_signing_alg", "alg_of_method")
    needs_keys = (
        metadata.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT
        or metadata.require_signed_request_object
        or metadata.userinfo_encryption is not None
        or metadata.id_token_encryption is not None
    )
    if needs_keys and not has_keys:
        document.fault("jwks", "keys_needed")


def _check_frame(document: Document, metadata: ClientMetadata) -> None:
    """Want scheme, host and port of a registered redirect URI (Front-Channel Logout §2)."""
    uri = metadata.frontchannel_logout_uri
    if uri is not None and origin_of(uri) not in {
        origin_of(each) for each in metadata.redirect_uris
    }:
        document.fault("frontchannel_logout_uri", "frontchannel_origin")


def _check_fapi(document: Document, metadata: ClientMetadata) -> None:
    """Refuse what the FAPI 2.0 Security Profile forbids (§5.3.2.1, §5.4.1)."""
    if metadata.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        document.fault("token_endpoint_auth_method", "fapi_needs_private_key_jwt")
    if metadata.accepts_token_endpoint_audience:
        document.fault("kosodate_accepts_token_endpoint_audience", "fapi_audience")
    if not metadata.require_pkce:
        document.fault("kosodate_require_pkce", "pkce_needed")
    algorithms = {
        "id_token_signed_response_alg": metadata.id_token_signed_response_alg,
        "token_endpoint_auth_signing_alg": metadata.token_endpoint_auth_signing_alg,
        "request_object_signing_alg": metadata.request_object_signing_alg,
        "authorization_signed_response_alg": metadata.authorization_signed_response_alg,
        "userinfo_signed_response_alg": metadata.userinfo_signed_response_alg,
        "introspection_signed_response_alg": metadata.introspection_signed_response_alg,
    }
    for name, alg in algorithms.items():
        if alg is not None and alg not in FAPI_ALGORITHMS:
            document.fault(name, "fapi_algorithm")
