"""Client metadata as a document: what is stored, exported and read again."""

from collections.abc import Mapping
from types import MappingProxyType

from idp.protocol.client import ClientMetadata, Encryption, SecurityProfile
from idp.protocol.scope import join_scope

#: Flags are written only where they differ from this.
_USUAL_FLAGS: Mapping[str, bool] = MappingProxyType(
    {
        "backchannel_logout_session_required": False,
        "kosodate_require_pkce": True,
        "kosodate_accepts_token_endpoint_audience": False,
        "require_signed_request_object": False,
        "require_pushed_authorization_requests": False,
        "dpop_bound_access_tokens": False,
        "frontchannel_logout_session_required": False,
    }
)


def write_metadata(metadata: ClientMetadata) -> dict[str, object]:
    """Return the document of a client; what is empty or usual is left out.

    `parse_metadata` of the answer is the metadata again.
    """
    document = {
        **_write_presentation(metadata),
        **_write_rules(metadata),
        **_write_security(metadata),
    }
    return {
        name: value
        for name, value in document.items()
        if value is not None and value != [] and value is not _USUAL_FLAGS.get(name)
    }


def _write_rules(metadata: ClientMetadata) -> dict[str, object]:
    return {
        "redirect_uris": list(metadata.redirect_uris),
        "post_logout_redirect_uris": list(metadata.post_logout_redirect_uris),
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method.value,
        "token_endpoint_auth_signing_alg": metadata.token_endpoint_auth_signing_alg,
        "jwks": None if metadata.jwks is None else dict(metadata.jwks),
        "grant_types": sorted(metadata.grant_types),
        "response_types": ["code"],
        "scope": join_scope(metadata.scopes),
        "application_type": metadata.application_type.value,
        "subject_type": metadata.subject_type.value,
        "id_token_signed_response_alg": metadata.id_token_signed_response_alg,
        "default_max_age": metadata.default_max_age,
        "default_acr_values": list(metadata.default_acr_values),
        "backchannel_logout_session_required": metadata.backchannel_logout_session_required,
        "kosodate_response_modes": sorted(metadata.response_modes),
        "kosodate_require_pkce": metadata.require_pkce,
        "kosodate_cors_origins": sorted(metadata.cors_origins),
        "kosodate_accepts_token_endpoint_audience": metadata.accepts_token_endpoint_audience,
    }


def _write_security(metadata: ClientMetadata) -> dict[str, object]:
    is_usual = metadata.profile is SecurityProfile.OPENID
    return {
        "kosodate_profile": None if is_usual else metadata.profile.value,
        "jwks_uri": metadata.jwks_uri,
        "sector_identifier_uri": metadata.sector_identifier_uri,
        "request_uris": list(metadata.request_uris),
        "request_object_signing_alg": metadata.request_object_signing_alg,
        "require_signed_request_object": metadata.require_signed_request_object,
        "require_pushed_authorization_requests": metadata.require_pushed_authorization_requests,
        "dpop_bound_access_tokens": metadata.dpop_bound_access_tokens,
        "authorization_signed_response_alg": metadata.authorization_signed_response_alg,
        "userinfo_signed_response_alg": metadata.userinfo_signed_response_alg,
        **_write_encryption("userinfo", metadata.userinfo_encryption),
        **_write_encryption("id_token", metadata.id_token_encryption),
        "introspection_signed_response_alg": metadata.introspection_signed_response_alg,
        "authorization_details_types": list(metadata.authorization_details_types),
        "frontchannel_logout_uri": metadata.frontchannel_logout_uri,
        "frontchannel_logout_session_required": metadata.frontchannel_logout_session_required,
        "kosodate_resources": list(metadata.resources),
        "kosodate_audiences": list(metadata.audiences),
        "kosodate_event_endpoint": metadata.event_endpoint,
        "kosodate_events": list(metadata.events),
    }


def _write_encryption(what: str, wanted: Encryption | None) -> dict[str, object]:
    if wanted is None:
        return {}
    return {
        f"{what}_encrypted_response_alg": wanted.alg,
        f"{what}_encrypted_response_enc": wanted.enc,
    }


def _write_presentation(metadata: ClientMetadata) -> dict[str, object]:
    return {
        **_write_texts("client_name", metadata.names),
        **_write_texts("kosodate_description", metadata.descriptions),
        **_write_texts("kosodate_operator", metadata.operators),
        "kosodate_glyph": metadata.glyph,
        "client_uri": metadata.client_uri,
        "logo_uri": metadata.logo_uri,
        "policy_uri": metadata.policy_uri,
        "tos_uri": metadata.tos_uri,
        "initiate_login_uri": metadata.initiate_login_uri,
        "backchannel_logout_uri": metadata.backchannel_logout_uri,
        "contacts": list(metadata.contacts),
    }


def _write_texts(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    return {f"{name}#{tag}" if tag else name: text for tag, text in texts.items()}
