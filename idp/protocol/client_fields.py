"""The fields of the console's form: one for each member that a client's document can have."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from idp.protocol import acr, scope
from idp.protocol.client import (
    ApplicationType,
    AuthMethod,
    GrantType,
    ResponseMode,
    SecurityProfile,
    SubjectType,
)
from idp.protocol.events import SUPPORTED as EVENTS
from idp.protocol.jwk import (
    ASSERTION_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    ENCRYPTION_METHODS,
    ID_TOKEN_ALGORITHMS,
    SECRET_ALGORITHM,
)
from idp.protocol.registration_security import DETAILS_TYPES


class Kind(Enum):
    """How a member is typed and shown."""

    #: Words of people, kept as they are typed.
    WORDS = "words"
    #: An address, a code, an id: full-width letters and digits count as the usual ones.
    CODE = "code"
    NUMBER = "number"
    #: One entry a line.
    LINES = "lines"
    #: A box to tick.
    FLAG = "flag"
    #: One of several; nothing chosen leaves the member out.
    CHOICE = "choice"
    #: Any of several.
    CHOICES = "choices"
    #: The same, written as one text with spaces.
    SCOPE = "scope"
    JSON = "json"
    #: A text in further languages: `fr: Réservation`, one a line.
    TAGGED = "tagged"


class Group(StrEnum):
    """The parts of the form, in their order; the first three are always open."""

    NAME = "name"
    LINK = "link"
    SCOPE = "scope"
    LOOK = "look"
    LOGOUT = "logout"
    KEYS = "keys"
    REQUESTS = "requests"
    ANSWERS = "answers"
    SIGN_IN = "sign_in"
    IDENTIFIERS = "identifiers"
    RESOURCES = "resources"
    EVENTS = "events"


COMMON = (Group.NAME, Group.LINK, Group.SCOPE)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: which member of the document it is, where it stands and how it is typed."""

    name: str
    member: str
    group: Group
    kind: Kind
    options: tuple[str, ...] = ()
    is_required: bool = False
    #: What a new service has, as the form writes it; a field with this is as usual.
    usual: str = ""
    #: An existing service keeps it: it is shown nowhere on its form.
    only_new: bool = False

    @property
    def label_key(self) -> str:
        """The text key of its label."""
        return f"admin.field.{self.name}"

    @property
    def hint_key(self) -> str:
        """The text key of the line that helps."""
        return f"admin.hint.{self.name}"


def _field(  # noqa: PLR0913 - a row of the table below
    member: str,
    group: Group,
    kind: Kind,
    options: Iterable[str] = (),
    *,
    name: str = "",
    usual: str = "",
    is_required: bool = False,
    only_new: bool = False,
) -> Field:
    return Field(
        name=name or member.removeprefix("kosodate_"),
        member=member,
        group=group,
        kind=kind,
        options=tuple(str(option) for option in options),
        usual=usual,
        is_required=is_required,
        only_new=only_new,
    )


_SIGNING = ID_TOKEN_ALGORITHMS
_PROVING = (*ASSERTION_ALGORITHMS, SECRET_ALGORITHM)
_ALG, _ENC = ENCRYPTION_ALGORITHMS, ENCRYPTION_METHODS

FIELDS: tuple[Field, ...] = (
    _field("client_name", Group.NAME, Kind.WORDS, name="name_ja", is_required=True),
    _field("client_name#en", Group.NAME, Kind.WORDS, name="name_en"),
    _field("kosodate_operator", Group.NAME, Kind.WORDS, name="operator_ja"),
    _field("kosodate_operator#en", Group.NAME, Kind.WORDS, name="operator_en"),
    _field("kosodate_description", Group.NAME, Kind.WORDS, name="description_ja"),
    _field("kosodate_description#en", Group.NAME, Kind.WORDS, name="description_en"),
    _field("client_id", Group.LINK, Kind.CODE, only_new=True),
    _field(
        "kosodate_profile",
        Group.LINK,
        Kind.CHOICE,
        SecurityProfile,
        usual=SecurityProfile.OPENID,
        is_required=True,
    ),
    _field(
        "application_type",
        Group.LINK,
        Kind.CHOICE,
        ApplicationType,
        usual=ApplicationType.WEB,
        is_required=True,
    ),
    _field(
        "token_endpoint_auth_method",
        Group.LINK,
        Kind.CHOICE,
        AuthMethod,
        name="auth_method",
        usual=AuthMethod.BASIC,
        is_required=True,
    ),
    _field("redirect_uris", Group.LINK, Kind.LINES, is_required=True),
    _field("post_logout_redirect_uris", Group.LINK, Kind.LINES),
    _field("initiate_login_uri", Group.LINK, Kind.CODE),
    _field(
        "grant_types",
        Group.LINK,
        Kind.CHOICES,
        GrantType,
        usual=GrantType.AUTHORIZATION_CODE,
        is_required=True,
    ),
    _field("scope", Group.SCOPE, Kind.SCOPE, scope.SUPPORTED[1:]),
    _field("kosodate_municipality", Group.SCOPE, Kind.CODE),
    _field("kosodate_consented", Group.SCOPE, Kind.FLAG),
    _field("kosodate_may_notify", Group.SCOPE, Kind.FLAG),
    _field("kosodate_glyph", Group.LOOK, Kind.WORDS),
    _field("logo_uri", Group.LOOK, Kind.CODE),
    _field("client_uri", Group.LOOK, Kind.CODE),
    _field("tos_uri", Group.LOOK, Kind.CODE),
    _field("policy_uri", Group.LOOK, Kind.CODE),
    _field("contacts", Group.LOOK, Kind.LINES),
    _field("client_name", Group.LOOK, Kind.TAGGED, name="name_other"),
    _field("kosodate_operator", Group.LOOK, Kind.TAGGED, name="operator_other"),
    _field("kosodate_description", Group.LOOK, Kind.TAGGED, name="description_other"),
    _field("backchannel_logout_uri", Group.LOGOUT, Kind.CODE),
    _field("backchannel_logout_session_required", Group.LOGOUT, Kind.FLAG),
    _field("frontchannel_logout_uri", Group.LOGOUT, Kind.CODE),
    _field("frontchannel_logout_session_required", Group.LOGOUT, Kind.FLAG),
    _field("jwks", Group.KEYS, Kind.JSON),
    _field("jwks_uri", Group.KEYS, Kind.CODE),
    _field("token_endpoint_auth_signing_alg", Group.KEYS, Kind.CHOICE, _PROVING),
    _field("kosodate_accepts_token_endpoint_audience", Group.KEYS, Kind.FLAG),
    _field("kosodate_require_pkce", Group.REQUESTS, Kind.FLAG, usual="1"),
    _field("require_pushed_authorization_requests", Group.REQUESTS, Kind.FLAG),
    _field("require_signed_request_object", Group.REQUESTS, Kind.FLAG),
    _field("request_object_signing_alg", Group.REQUESTS, Kind.CHOICE, ASSERTION_ALGORITHMS),
    _field("request_uris", Group.REQUESTS, Kind.LINES),
    _field("kosodate_cors_origins", Group.REQUESTS, Kind.LINES),
    _field("dpop_bound_access_tokens", Group.ANSWERS, Kind.FLAG),
    _field(
        "kosodate_response_modes",
        Group.ANSWERS,
        Kind.CHOICES,
        ResponseMode,
        usual=" ".join(ResponseMode),
        is_required=True,
    ),
    _field("authorization_signed_response_alg", Group.ANSWERS, Kind.CHOICE, _SIGNING),
    _field("id_token_signed_response_alg", Group.ANSWERS, Kind.CHOICE, _SIGNING),
    _field("id_token_encrypted_response_alg", Group.ANSWERS, Kind.CHOICE, _ALG),
    _field("id_token_encrypted_response_enc", Group.ANSWERS, Kind.CHOICE, _ENC),
    _field("userinfo_signed_response_alg", Group.ANSWERS, Kind.CHOICE, _SIGNING),
    _field("userinfo_encrypted_response_alg", Group.ANSWERS, Kind.CHOICE, _ALG),
    _field("userinfo_encrypted_response_enc", Group.ANSWERS, Kind.CHOICE, _ENC),
    _field("introspection_signed_response_alg", Group.ANSWERS, Kind.CHOICE, _SIGNING),
    _field("default_max_age", Group.SIGN_IN, Kind.NUMBER),
    _field("default_acr_values", Group.SIGN_IN, Kind.CHOICES, acr.SUPPORTED),
    _field(
        "subject_type",
        Group.IDENTIFIERS,
        Kind.CHOICE,
        SubjectType,
        usual=SubjectType.PAIRWISE,
        is_required=True,
    ),
    _field("sector_identifier_uri", Group.IDENTIFIERS, Kind.CODE),
    _field("kosodate_sector", Group.IDENTIFIERS, Kind.CODE, only_new=True),
    _field("kosodate_resources", Group.RESOURCES, Kind.LINES),
    _field("kosodate_audiences", Group.RESOURCES, Kind.LINES),
    _field("authorization_details_types", Group.RESOURCES, Kind.CHOICES, DETAILS_TYPES),
    _field("kosodate_event_endpoint", Group.EVENTS, Kind.CODE),
    _field("kosodate_events", Group.EVENTS, Kind.CHOICES, EVENTS),
)

#: Members without a field: one is always the same, the other is never shown (CA-08).
WITHOUT_FIELD = frozenset({"response_types", "client_secret"})
