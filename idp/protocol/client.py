"""What the protocol needs to know of a registered client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class AuthMethod(StrEnum):
    """How a client proves at the token endpoint who it is (OIDC Core §9)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    SECRET_JWT = "client_secret_jwt"  # noqa: S105 - a method
    PRIVATE_KEY_JWT = "private_key_jwt"
    NONE = "none"


class GrantType(StrEnum):
    """The grants that we offer."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name


class ResponseMode(StrEnum):
    """How the answer of the authorization endpoint travels."""

    QUERY = "query"
    FORM_POST = "form_post"
    #: Signed answers (JARM §2.3); the plain name means the default of the code flow, the query.
    JWT = "jwt"
    QUERY_JWT = "query.jwt"
    FORM_POST_JWT = "form_post.jwt"

    @property
    def is_signed(self) -> bool:
        """Whether the parameters travel as one signed token."""
        return self in (ResponseMode.JWT, ResponseMode.QUERY_JWT, ResponseMode.FORM_POST_JWT)

    @property
    def is_form(self) -> bool:
        """Whether the browser posts them."""
        return self in (ResponseMode.FORM_POST, ResponseMode.FORM_POST_JWT)


class SecurityProfile(StrEnum):
    """Which rules a client is held to; `fapi2` refuses everything weaker than FAPI 2.0."""

    OPENID = "openid"
    FAPI2 = "fapi2"


class SubjectType(StrEnum):
    """Whether each sector has its own `sub` (OIDC Core §8)."""

    PAIRWISE = "pairwise"
    PUBLIC = "public"


class ApplicationType(StrEnum):
    """Web or native (OIDC Registration §2)."""

    WEB = "web"
    NATIVE = "native"


@dataclass(frozen=True)
class Encryption:
    """How something is encrypted for a client: key management and content (RFC 7516)."""

    alg: str
    enc: str


_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class ClientMetadata:
    """The metadata of a client, checked (RFC 7591 §2, OIDC Registration §2, and ours).

    Texts for people are kept by language; the empty language is the value without a tag.
    """

    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    token_endpoint_auth_method: AuthMethod = AuthMethod.BASIC
    token_endpoint_auth_signing_alg: str | None = None
    jwks: Mapping[str, object] | None = None
    grant_types: frozenset[GrantType] = frozenset({GrantType.AUTHORIZATION_CODE})
    scopes: frozenset[str] = frozenset({"openid"})
    application_type: ApplicationType = ApplicationType.WEB
    subject_type: SubjectType = SubjectType.PAIRWISE
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - an algorithm
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    names: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    descriptions: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    operators: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    glyph: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    response_modes: frozenset[ResponseMode] = frozenset(ResponseMode)
    require_pkce: bool = True
    cors_origins: frozenset[str] = frozenset()
    accepts_token_endpoint_audience: bool = False
    profile: SecurityProfile = SecurityProfile.OPENID
    jwks_uri: str | None = None
    sector_identifier_uri: str | None = None
    #: Where request objects may be fetched from (OIDC Core §6.2).
    request_uris: tuple[str, ...] = ()
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    #: JARM: the algorithm of signed authorization responses.
    authorization_signed_response_alg: str | None = None
    #: None means plain JSON.
    userinfo_signed_response_alg: str | None = None
    userinfo_encryption: Encryption | None = None
    id_token_encryption: Encryption | None = None
    #: RFC 9701: None means plain JSON.
    introspection_signed_response_alg: str | None = None
    authorization_details_types: tuple[str, ...] = ()
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    #: Resource indicators (RFC 8707) it may ask tokens for.
    resources: tuple[str, ...] = ()
    #: Resource indicators it answers to itself: it may introspect tokens for them.
    audiences: tuple[str, ...] = ()
    #: Security events (RFC 8417) it wants, and where they are pushed (RFC 8935).
    event_endpoint: str | None = None
    events: tuple[str, ...] = ()

    @property
    def is_fapi(self) -> bool:
        """Whether it is held to the FAPI 2.0 Security Profile."""
        return self.profile is SecurityProfile.FAPI2

    @property
    def needs_pushed_request(self) -> bool:
        """Whether its authorization requests must come by PAR (RFC 9126 §6, FAPI 2.0 §5.3.2.2)."""
        return self.require_pushed_authorization_requests or self.is_fapi

    @property
    def needs_pkce(self) -> bool:
        """Whether its requests need a challenge (RFC 9700 §2.1.1, FAPI 2.0 §5.3.2.2)."""
        return self.require_pkce or self.is_public or self.is_fapi

    @property
    def needs_dpop(self) -> bool:
        """Whether its tokens must be bound to a key (RFC 9449 §5.2, FAPI 2.0 §5.3.2.1)."""
        return self.dpop_bound_access_tokens or self.is_fapi

    @property
    def response_alg(self) -> str:
        """What signs its authorization responses (JARM §3); RS256 is no FAPI algorithm."""
        usual = "ES256" if self.is_fapi else "RS256"
        return self.authorization_signed_response_alg or usual

    @property
    def is_native(self) -> bool:
        """Whether it runs on a person's device: its loopback URI may name any port."""
        return self.application_type is ApplicationType.NATIVE

    @property
    def signs_with_secret(self) -> bool:
        """Whether its secret signs its assertions: the one case in which we must know it."""
        return self.token_endpoint_auth_method is AuthMethod.SECRET_JWT

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret: it proves itself by PKCE alone."""
        return self.token_endpoint_auth_method is AuthMethod.NONE


@dataclass(frozen=True)
class SecretDigest:
    """A secret of a client as it is stored; two are valid during a rotation."""

    digest: bytes
    expires_at: datetime | None
    #: The secret itself, for a client that signs with it.
    sealed: bytes | None = None

    def is_valid(self, *, now: datetime) -> bool:
        """Whether it may still be used."""
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, kw_only=True)
class RegisteredClient(ClientMetadata):
    """A client as the provider knows it: its metadata and what the provider alone decides."""

    client_id: str
    sector: str
    municipality_id: UUID | None = None
    is_active: bool = True
    #: It took itself away (RFC 7592 §2.3).
    is_removed: bool = False
    #: Under which name we serve its logo.
    logo: str | None = None
    #: First-party client of the municipality: no consent page.
    is_consented: bool = False
    #: May ask the provider to mail a household (A33).
    may_notify: bool = False
    version: int = 1
    secrets: tuple[SecretDigest, ...] = ()

    def name_in(self, language: str) -> str:
        """Return the name people see, in their language if it has one."""
        return pick_text(self.names, language) or self.client_id

    def operator_in(self, language: str) -> str | None:
        """Return who runs the service."""
        return pick_text(self.operators, language)

    def description_in(self, language: str) -> str | None:
        """Return the sentence below the name on the home page."""
        return pick_text(self.descriptions, language)


def pick_text(texts: Mapping[str, str], language: str) -> str | None:
    """Return a text by language: the tag, its first part, no tag, Japanese, whatever there is."""
    for tag in (language, language.partition("-")[0], "", "ja"):
        if tag in texts:
            return texts[tag]
    return next(iter(texts.values()), None)
