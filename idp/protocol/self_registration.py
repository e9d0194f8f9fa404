"""What a service may say of itself when nobody of ours sits at the form (RFC 7591, RFC 7592)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from idp.protocol.claims import is_shallow
from idp.protocol.client import AuthMethod, GrantType, SecurityProfile
from idp.protocol.errors import EndpointError
from idp.protocol.registration import MetadataError
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, join_scope

MAX_BYTES = 65_536
#: What a service gets that names no scope, as far as its initial access token allows.
USUAL_SCOPES = frozenset({OPENID, "profile", "email", "address", "phone", OFFLINE_ACCESS})
#: Grants with a person behind them. What a service may do on its own, an administrator decides.
_GRANTS = (GrantType.AUTHORIZATION_CODE.value, GrantType.REFRESH_TOKEN.value)

#: Members taken from a registrant. Left out, since the provider alone decides on them:
#: kosodate_consented (skips the consent page), kosodate_may_notify (mails families),
#: kosodate_municipality and kosodate_sector (whose identifiers it shares), kosodate_operator
#: (vouches for who runs it), kosodate_resources and kosodate_audiences (whose tokens it gets,
#: which ones it may look into), kosodate_events and kosodate_event_endpoint (is told about
#: people), authorization_details_types (acts for somebody), and client_id and client_secret.
_MEMBERS = frozenset(
    {
        "application_type",
        "authorization_signed_response_alg",
        "backchannel_logout_session_required",
        "backchannel_logout_uri",
        "client_uri",
        "contacts",
        "default_acr_values",
        "default_max_age",
        "dpop_bound_access_tokens",
        "frontchannel_logout_session_required",
        "frontchannel_logout_uri",
        "grant_types",
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
        "id_token_signed_response_alg",
        "initiate_login_uri",
        "introspection_signed_response_alg",
        "jwks",
        "jwks_uri",
        "kosodate_accepts_token_endpoint_audience",
        "kosodate_cors_origins",
        "kosodate_glyph",
        "kosodate_profile",
        "kosodate_require_pkce",
        "kosodate_response_modes",
        "logo_uri",
        "policy_uri",
        "post_logout_redirect_uris",
        "redirect_uris",
        "request_object_signing_alg",
        "request_uris",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "response_types",
        "scope",
        "sector_identifier_uri",
        "subject_type",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg",
        "tos_uri",
        "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc",
        "userinfo_signed_response_alg",
    }
)
#: Texts for people, in several languages.
_TAGGED = frozenset({"client_name", "kosodate_description"})
_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class RegistrantPolicy:
    """What the initial access token of a registrant allows."""

    scopes: frozenset[str]
    #: May do without PKCE and name the token endpoint in its assertions, as older libraries do.
    is_legacy: bool = False


def parse_body(body: bytes) -> dict[str, object]:
    """Read the JSON object of a call.

    Raises:
        EndpointError: invalid_client_metadata: no JSON object, too large, or with values that
            no database keeps (NUL, half a surrogate pair, infinity).
    """
    try:
        text = body.decode("utf-8")
        content = json.loads(text) if len(body) <= MAX_BYTES and is_shallow(text) else None
        written = json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except ValueError:
        content, written = None, b""
    if not isinstance(content, dict) or b"\\u0000" in written:
        raise EndpointError(
            "invalid_client_metadata",
            "The body must be a JSON object of at most 64 kilobytes.",
            reason="registration_body",
        )
    return content


def narrow_document(
    content: Mapping[str, object],
    policy: RegistrantPolicy,
    *,
    known: Mapping[str, object] = _NOTHING,
) -> dict[str, object]:
    """Return what counts of what a registrant sent, with the defaults of its policy.

    Members that we do not know, or do not take from a registrant, are ignored (RFC 7591 §2);
    of a client that changes itself they stay as they are `known`. Scopes beyond the policy are
    left out: the answer says what is registered (§3.2.1).
    """
    document = {name: value for name, value in known.items() if not _is_own(name)} | {
        name: value for name, value in content.items() if _is_own(name)
    }
    document["scope"] = _narrow_scope(document.get("scope"), policy, known)
    document["client_name"] = document.get("client_name") or _host_name(document)
    _keep_strict(document, policy)
    _keep_own_origins(document)
    _keep_grants(document, known)
    return document


def _is_own(name: str) -> bool:
    return name in _MEMBERS or name.partition("#")[0] in _TAGGED


def _narrow_scope(sent: object, policy: RegistrantPolicy, known: Mapping[str, object]) -> object:
    allowed = policy.scopes | frozenset(str(known.get("scope", "")).split()) | {OPENID}
    if sent is None:
        return join_scope(USUAL_SCOPES & allowed)
    if not isinstance(sent, str):
        return sent
    return join_scope(frozenset(sent.split(" ")) & allowed | {OPENID})


def _host_name(document: Mapping[str, object]) -> object:
    """Return what a service without a name is called: its host (RFC 7591 §2 asks for a name)."""
    uris = document.get("redirect_uris")
    first = uris[0] if isinstance(uris, list) and uris else None
    try:
        return urlsplit(first).hostname if isinstance(first, str) else None
    except ValueError:
        return None


def _keep_strict(document: dict[str, object], policy: RegistrantPolicy) -> None:
    """Let a registrant be stricter than the policy, never laxer."""
    is_fapi = document.get("kosodate_profile") == SecurityProfile.FAPI2.value
    is_public = document.get("token_endpoint_auth_method") == AuthMethod.NONE.value
    may_be_lax = policy.is_legacy and not is_fapi
    if not may_be_lax or is_public:
        document["kosodate_require_pkce"] = True
    else:
        document.setdefault("kosodate_require_pkce", False)
    if not may_be_lax:
        document["kosodate_accepts_token_endpoint_audience"] = False
    else:
        document.setdefault("kosodate_accepts_token_endpoint_audience", True)


def _keep_own_origins(document: dict[str, object]) -> None:
    """Let pages read our answers only from where the service is redirected to."""
    origins, uris = document.get("kosodate_cors_origins"), document.get("redirect_uris")
    if isinstance(origins, list) and isinstance(uris, list):
        own = {"/".join(uri.split("/")[:3]) for uri in uris if isinstance(uri, str)}
        document["kosodate_cors_origins"] = [
            each for each in origins if not isinstance(each, str) or each in own
        ]


def _keep_grants(document: dict[str, object], known: Mapping[str, object]) -> None:
    """Leave grants out that need an administrator, unless one gave them.

    What we do not know at all is refused when the document is read.
    """
    given = known.get("grant_types", [])
    ours = {member.value for member in GrantType} - set(_GRANTS)
    sent = document.get("grant_types")
    if sent is None:
        sent = [GrantType.AUTHORIZATION_CODE.value]
    if isinstance(sent, list) and isinstance(given, list):
        kept = [each for each in sent if not (isinstance(each, str) and each in ours)]
        document["grant_types"] = kept + [each for each in given if each in ours]


def describe_faults(error: MetadataError) -> EndpointError:
    """Return the answer to faulty metadata (RFC 7591 §3.2.2).

    Names of members and reasons come from closed sets: nothing of the request is repeated.
    """
    faults = dict.fromkeys(
        f"{fault.field.partition('[')[0].partition('#')[0]}: {fault.reason}"
        for fault in error.faults
    )
    return EndpointError(error.code, "; ".join(faults), reason="registration_metadata")
