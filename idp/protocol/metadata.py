"""What we publish about ourselves (OIDC Discovery §3, RFC 8414 §2)."""

from dataclasses import dataclass

from idp.protocol import acr, claims, dpop, pkce, prompt, scope
from idp.protocol.client import AuthMethod, GrantType, ResponseMode, SubjectType
from idp.protocol.jwk import (
    ASSERTION_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    ENCRYPTION_METHODS,
    SECRET_ALGORITHM,
)
from idp.protocol.registration_security import DETAILS_TYPES


@dataclass(frozen=True)
class ProviderFacts:
    """What of the document depends on the installation."""

    issuer: str
    #: Algorithms for which a key is active.
    id_token_algorithms: tuple[str, ...]
    languages: tuple[str, ...]
    #: Whether services may register themselves.
    has_registration: bool = False
    #: Whether people can prove themselves at an upstream provider.
    has_upstream: bool = False


def build_metadata(facts: ProviderFacts) -> dict[str, object]:
    """Return the one document that both well-known addresses answer with.

    It names exactly the endpoints that are mounted, all from the configured issuer and
    nothing from the request (KT-05).
    """
    return {
        "issuer": facts.issuer,
        **_endpoints(facts.issuer),
        **({"registration_endpoint": f"{facts.issuer}/register"} if facts.has_registration else {}),
        "scopes_supported": list(scope.SUPPORTED),
        "response_types_supported": ["code"],
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "grant_types_supported": [grant.value for grant in GrantType],
        "subject_types_supported": [kind.value for kind in SubjectType],
        "id_token_signing_alg_values_supported": list(facts.id_token_algorithms),
        **_client_authentication(),
        "acr_values_supported": _acr_values(facts),
        "display_values_supported": ["page", "popup", "touch", "wap"],
        "claim_types_supported": ["normal"],
        "claims_supported": list(claims.SUPPORTED),
        "claims_parameter_supported": True,
        "ui_locales_supported": list(facts.languages),
        "prompt_values_supported": [value.value for value in prompt.SUPPORTED],
        "code_challenge_methods_supported": [pkce.METHOD],
        **_requests(facts),
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "userinfo_signing_alg_values_supported": list(facts.id_token_algorithms),
        "introspection_signing_alg_values_supported": list(facts.id_token_algorithms),
        **_encryption(),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "op_policy_uri": f"{facts.issuer}/documents/privacy",
        "op_tos_uri": f"{facts.issuer}/documents/terms",
    }


def _requests(facts: ProviderFacts) -> dict[str, object]:
    """Return how requests may come, and what their answers may be signed with."""
    return {
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_signed_request_object": False,
        "authorization_details_types_supported": list(DETAILS_TYPES),
        "authorization_signing_alg_values_supported": list(facts.id_token_algorithms),
        "request_object_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "require_pushed_authorization_requests": False,
    }


def _encryption() -> dict[str, object]:
    return {
        f"{what}_encryption_{name}_values_supported": list(values)
        for what in ("id_token", "userinfo")
        for name, values in (("alg", ENCRYPTION_ALGORITHMS), ("enc", ENCRYPTION_METHODS))
    }


def _acr_values(facts: ProviderFacts) -> list[str]:
    known = [value for value in acr.SUPPORTED if value is not acr.Acr.UPSTREAM]
    return [*known, acr.Acr.UPSTREAM] if facts.has_upstream else [*known]


def _endpoints(issuer: str) -> dict[str, object]:
    return {
        "authorization_endpoint": f"{issuer}/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "token_endpoint": f"{issuer}/token",
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "end_session_endpoint": f"{issuer}/end_session",
        "check_session_iframe": f"{issuer}/check_session",
        "revocation_endpoint": f"{issuer}/revoke",
        "introspection_endpoint": f"{issuer}/introspect",
    }


def _client_authentication() -> dict[str, object]:
    methods = [way.value for way in AuthMethod]
    return {
        f"{endpoint}_endpoint_auth_{name}_supported": values
        for endpoint in ("token", "revocation", "introspection")
        for name, values in (
            ("methods", [way for way in methods if endpoint != "introspection" or way != "none"]),
            ("signing_alg_values", [*ASSERTION_ALGORITHMS, SECRET_ALGORITHM]),
        )
    }
