"""Client metadata as a document: what is stored, exported and read again."""

from collections.abc import Mapping
from types import MappingProxyType

from idp.protocol.client import ClientMetadata
from idp.protocol.scope import join_scope

#: Flags are written only where they differ from this.
_USUAL_FLAGS: Mapping[str, bool] = MappingProxyType(
    {
        "backchannel_logout_session_required": False,
        "kosodate_require_pkce": True,
        "kosodate_accepts_token_endpoint_audience": False,
    }
)


def write_metadata(metadata: ClientMetadata) -> dict[str, object]:
    """Return the document of a client; what is empty or usual is left out.

    `parse_metadata` of the answer is the metadata again.
    """
    document = {**_write_presentation(metadata), **_write_rules(metadata)}
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
