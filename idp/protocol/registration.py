"""Client metadata: reading a registration document (RFC 7591 §2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from idp.base.text import has_control, single_line
from idp.protocol import acr
from idp.protocol.addresses import (
    AddressRules,
    find_origin_fault,
    find_redirect_fault,
)
from idp.protocol.client import (
    ApplicationType,
    AuthMethod,
    ClientMetadata,
    GrantType,
    ResponseMode,
    SecurityProfile,
    SubjectType,
)
from idp.protocol.document import Document, MetadataFault
from idp.protocol.jwk import (
    ASSERTION_ALGORITHMS,
    ID_TOKEN_ALGORITHMS,
    SECRET_ALGORITHM,
    find_jwks_fault,
)
from idp.protocol.registration_security import (
    add_security,
    check_security,
    take_service_uri,
)
from idp.protocol.scope import OPENID, SUPPORTED, parse_scope

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{3,100}")
_SECTOR = re.compile(r"[a-z0-9][a-z0-9.:-]{1,99}")
_MUNICIPALITY = re.compile(r"[0-9]{6}")
#: A secret somebody else made must be as hard to guess as ours (128 bits at least), and as
#: long as the hash it may sign with: 32 octets for HS256 (RFC 7518 §3.2).
_SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{32,256}")
_MAX_TEXT = 200
_CONFIDENTIAL_GRANTS = frozenset({GrantType.CLIENT_CREDENTIALS, GrantType.TOKEN_EXCHANGE})


class MetadataError(Exception):
    """A registration that cannot be taken; every fault is named, by field."""

    def __init__(self, faults: tuple[MetadataFault, ...]) -> None:
        super().__init__(", ".join(f"{fault.field}: {fault.reason}" for fault in faults))
        self.faults = faults

    @property
    def code(self) -> str:
        """Return the error code of RFC 7591 §3.2.2."""
        fields = {fault.field.partition("[")[0] for fault in self.faults}
        return "invalid_redirect_uri" if fields == {"redirect_uris"} else "invalid_client_metadata"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A registration document: the metadata, and what the provider alone decides."""

    metadata: ClientMetadata
    client_id: str | None = None
    client_secret: str | None = None
    municipality_code: str | None = None
    sector: str | None = None
    is_consented: bool = False
    may_notify: bool = False


def parse_registration(content: Mapping[str, object], *, rules: AddressRules) -> Registration:
    """Read a registration document; a name we do not know is a fault, since it is a slip.

    Raises:
        MetadataError: with every fault that was found.
    """
    document = Document(content)
    registration = Registration(
        metadata=_parse_metadata(document, rules),
        client_id=document.take_pattern("client_id", _CLIENT_ID),
        client_secret=document.take_pattern("client_secret", _SECRET),
        municipality_code=document.take_pattern("kosodate_municipality", _MUNICIPALITY),
        sector=document.take_pattern("kosodate_sector", _SECTOR),
        is_consented=document.take_flag("kosodate_consented", default=False),
        may_notify=document.take_flag("kosodate_may_notify", default=False),
    )
    document.refuse_rest()
    if registration.metadata.is_public and registration.client_secret is not None:
        document.fault("client_secret", "secret_of_public_client")
    if document.faults:
        raise MetadataError(tuple(document.faults))
    return registration


def parse_metadata(content: Mapping[str, object], *, rules: AddressRules) -> ClientMetadata:
    """Read the metadata alone, as it is stored.

    Raises:
        MetadataError: with every fault that was found.
    """
    return parse_registration(content, rules=rules).metadata


def _parse_metadata(document: Document, rules: AddressRules) -> ClientMetadata:
    metadata = _add_presentation(document, rules, _parse_rules(document, rules))
    metadata = add_security(document, rules, metadata)
    _check_together(document, metadata)
    check_security(document, metadata)
    return metadata


def _parse_rules(document: Document, rules: AddressRules) -> ClientMetadata:
    """Read what the endpoints act on."""
    kind = document.take_choice("application_type", ApplicationType, default=ApplicationType.WEB)
    native = kind is ApplicationType.NATIVE
    grants = document.take_choices(
        "grant_types", GrantType, default=frozenset({GrantType.AUTHORIZATION_CODE})
    )
    return ClientMetadata(
        redirect_uris=_redirects(document, "redirect_uris", rules, is_native=native),
        post_logout_redirect_uris=_redirects(
            document, "post_logout_redirect_uris", rules, is_native=native
        ),
        token_endpoint_auth_method=document.take_choice(
            "token_endpoint_auth_method", AuthMethod, AuthMethod.BASIC
        ),
        token_endpoint_auth_signing_alg=document.take_one_of(
            "token_endpoint_auth_signing_alg", (*ASSERTION_ALGORITHMS, SECRET_ALGORITHM)
        ),
        jwks=_jwks(document),
        grant_types=grants,
        scopes=_scopes(document, grants),
        application_type=kind,
        subject_type=document.take_choice("subject_type", SubjectType, SubjectType.PAIRWISE),
        id_token_signed_response_alg=document.take_one_of(
            "id_token_signed_response_alg", ID_TOKEN_ALGORITHMS
        )
        or _usual_algorithm(document),
        default_max_age=document.take_number("default_max_age"),
        default_acr_values=_acr_values(document),
        response_modes=document.take_choices(
            "kosodate_response_modes", ResponseMode, default=frozenset(ResponseMode)
        ),
        require_pkce=document.take_flag("kosodate_require_pkce", default=True),
        cors_origins=_origins(document, rules),
        accepts_token_endpoint_audience=document.take_flag(
            "kosodate_accepts_token_endpoint_audience", default=False
        ),
    )


def _usual_algorithm(document: Document) -> str:
    """Return what signs ID tokens unless something is named: FAPI 2.0 §5.4.1 forbids RS256."""
    is_fapi = document.says("kosodate_profile", SecurityProfile.FAPI2.value)
    return "ES256" if is_fapi else "RS256"


def _add_presentation(
    document: Document, rules: AddressRules, metadata: ClientMetadata
) -> ClientMetadata:
    """Add what people see, and where the service itself is reached."""
    return replace(
        metadata,
        initiate_login_uri=take_service_uri(document, "initiate_login_uri", rules),
        backchannel_logout_uri=take_service_uri(document, "backchannel_logout_uri", rules),
        backchannel_logout_session_required=document.take_flag(
            "backchannel_logout_session_required", default=False
        ),
        names=_texts(document, "client_name"),
        descriptions=_texts(document, "kosodate_description"),
        operators=_texts(document, "kosodate_operator"),
        glyph=document.take_pattern("kosodate_glyph", re.compile(r"\S{1,2}")),
        client_uri=take_service_uri(document, "client_uri", rules),
        logo_uri=take_service_uri(document, "logo_uri", rules),
        policy_uri=take_service_uri(document, "policy_uri", rules),
        tos_uri=take_service_uri(document, "tos_uri", rules),
        contacts=document.take_list("contacts"),
    )


def _check_together(document: Document, metadata: ClientMetadata) -> None:
    """Look at what only the whole tells."""
    types = document.take_list("response_types") or ("code",)
    if types != ("code",):
        document.fault("response_types", "response_type_unsupported")
    uses_code = GrantType.AUTHORIZATION_CODE in metadata.grant_types
    if uses_code and not metadata.redirect_uris:
        document.fault("redirect_uris", "redirect_uri_needed")
    if "" not in metadata.names:
        document.fault("client_name", "needed")
    if metadata.is_public and metadata.grant_types & _CONFIDENTIAL_GRANTS:
        document.fault("grant_types", "grant_needs_authentication")
    if metadata.is_public and not metadata.require_pkce:
        document.fault("kosodate_require_pkce", "pkce_needed")
    has_person = uses_code or GrantType.DEVICE_CODE in metadata.grant_types
    if GrantType.REFRESH_TOKEN in metadata.grant_types and not has_person:
        document.fault("grant_types", "refresh_needs_code")


def _redirects(
    document: Document, name: str, rules: AddressRules, *, is_native: bool
) -> tuple[str, ...]:
    uris = document.take_list(name)
    for place, uri in enumerate(uris):
        reason = find_redirect_fault(uri, is_native=is_native, rules=rules)
        if reason is not None:
            document.fault(f"{name}[{place}]", reason)
    if len(set(uris)) != len(uris):
        document.fault(name, "repeated")
    return uris


def _origins(document: Document, rules: AddressRules) -> frozenset[str]:
    origins = document.take_list("kosodate_cors_origins")
    for place, origin in enumerate(origins):
        reason = find_origin_fault(origin, rules=rules)
        if reason is not None:
            document.fault(f"kosodate_cors_origins[{place}]", reason)
    return frozenset(origins)


def _scopes(document: Document, grants: frozenset[GrantType]) -> frozenset[str]:
    """Read the scopes; a client that signs people in always has openid."""
    text = document.take_text("scope")
    asked = parse_scope(text or OPENID)
    if asked is None or not set(asked) <= set(SUPPORTED):
        document.fault("scope", "scope_unknown")
        return frozenset({OPENID})
    scopes = frozenset(asked)
    if GrantType.AUTHORIZATION_CODE in grants and OPENID not in scopes:
        document.fault("scope", "scope_openid_needed")
    return scopes


def _acr_values(document: Document) -> tuple[str, ...]:
    values = document.take_list("default_acr_values")
    if not set(values) <= set(acr.SUPPORTED):
        document.fault("default_acr_values", "acr_unknown")
    return values


def _jwks(document: Document) -> Mapping[str, object] | None:
    content = document.take_object("jwks")
    if content is None:
        return None
    reason = find_jwks_fault(content)
    if reason is not None:
        document.fault("jwks", reason)
    return MappingProxyType(dict(content))


def _texts(document: Document, name: str) -> Mapping[str, str]:
    """Read a text for people in several languages: `client_name`, `client_name#en`."""
    found: dict[str, str] = {}
    for key, value in document.take_tagged(name).items():
        tag = key.partition("#")[2]
        if (key != name and _LANGUAGE.fullmatch(tag) is None) or not _is_line(value):
            document.fault(key, "text")
        else:
            found[tag] = single_line(value)
    return MappingProxyType(found)


def _is_line(text: str) -> bool:
    if has_control(text) or len(text) > _MAX_TEXT:
        return False
    try:
        return single_line(text) != ""
    except ValueError:
        return False
