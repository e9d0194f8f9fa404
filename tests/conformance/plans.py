"""The ten plans of a certification, and what each is told about our provider."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.conformance import pages

#: Three, so that plans of all kinds may run at once: an alias belongs to one test at a time.
ALIAS, FAPI_ALIAS, BROWSER_ALIAS = "kosodate", "kosodate-fapi", "kosodate-browser"
_OPENID = {"server_metadata": "discovery", "client_registration": "dynamic_client"}
_CODE = {"client_registration": "dynamic_client", "response_type": "code"}
#: Clients of the FAPI plans; those of Message Signing may push signed requests only.
PUSHING, SIGNING = ("fapi1", "fapi2"), ("signing1", "signing2")
_FAPI = {
    "openid": "openid_connect",
    "client_auth_type": "private_key_jwt",
    "sender_constrain": "dpop",
    "fapi_profile": "plain_fapi",
}


@dataclass(frozen=True)
class Plan:
    """A plan of the suite: its name there, its variants, and which configuration it takes."""

    title: str
    name: str
    variant: Mapping[str, str]
    #: The pair of clients of ours that a FAPI plan uses; the others register their own.
    clients: tuple[str, ...] = ()
    #: HtmlUnit cannot run it: a real browser makes its visits.
    needs_browser: bool = False


PLANS = (
    Plan("Basic", "oidcc-basic-certification-test-plan", _OPENID),
    Plan("Config", "oidcc-config-certification-test-plan", {}),
    Plan("Form Post Basic", "oidcc-formpost-basic-certification-test-plan", _OPENID),
    Plan("RP-Initiated Logout", "oidcc-rp-initiated-logout-certification-test-plan", _CODE),
    Plan(
        "Back-Channel Logout",
        "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
        _CODE,
    ),
    Plan(
        "Front-Channel Logout",
        "oidcc-frontchannel-rp-initiated-logout-certification-test-plan",
        _CODE,
    ),
    Plan(
        "Session Management",
        "oidcc-session-management-certification-test-plan",
        _CODE,
        needs_browser=True,
    ),
    Plan(
        "Third-Party-Initiated Login",
        "oidcc-3rdparty-init-login-certification-test-plan",
        {"response_type": "code"},
    ),
    Plan("FAPI 2.0 Security Profile", "fapi2-security-profile-final-test-plan", _FAPI, PUSHING),
    Plan(
        "FAPI 2.0 Message Signing",
        "fapi2-message-signing-final-test-plan",
        _FAPI | {"fapi_request_method": "signed_non_repudiation", "fapi_response_mode": "jarm"},
        SIGNING,
    ),
)


def build_openid(issuer: str, *, initial_access_token: str) -> dict:
    """Return the configuration of the plans whose clients register themselves."""
    authorize, leave = f"{issuer}/authorize*", f"{issuer}/end_session*"
    again = {"browser": [pages.walk(issuer, picture=True)]}
    refused = {"browser": [pages.look_at(authorize, pages.REFUSED)]}
    overrides = dict.fromkeys(("oidcc-prompt-login", "oidcc-max-age-1"), again)
    overrides["oidcc-ensure-registered-redirect-uri"] = refused
    logout = "oidcc-rp-initiated-logout-"
    for name in (
        "bad-post-logout-redirect-uri",
        "modified-id-token-hint",
        "no-id-token-hint",
        "query-added-to-post-logout-redirect-uri",
        "bad-id-token-hint",
    ):
        page = pages.look_at(leave, f"{pages.REFUSED}|{pages.ASKED}")
        overrides[logout + name] = {"browser": [pages.walk(issuer), page]}
    for name in ("no-params", "no-post-logout-redirect-uri", "only-state"):
        page = pages.sign_out(issuer, words=pages.SIGNED_OUT)
        overrides[logout + name] = {"browser": [pages.walk(issuer), page]}
    registered = {"initial_access_token": initial_access_token}
    return {
        "alias": ALIAS,
        "description": "Kosodate ID",
        "server": {
            "discoveryUrl": f"{issuer}/.well-known/openid-configuration",
            "login_hint": pages.LOGIN_ID,
        },
        "client": {"client_name": "first", **registered},
        "client2": {"client_name": "second", **registered},
        "browser": [pages.walk(issuer), pages.sign_out(issuer)],
        "override": overrides,
        "options": {"browsercontrol_css_enable": False},
    }


def leave_visits_to_us(configuration: Mapping[str, object]) -> dict:
    """Return a configuration without scripts for the suite's browser, under a third alias."""
    kept = {name: value for name, value in configuration.items() if name != "browser"}
    return kept | {"alias": BROWSER_ALIAS}


def build_fapi(issuer: str, *, suite: str, keys: Mapping[str, dict]) -> dict:
    """Return the configuration of a FAPI plan; `keys` are the private keys of its two clients."""
    authorize = f"{issuer}/authorize*"
    overrides = {}
    for prefix in ("fapi2-security-profile-final-", "fapi2-message-signing-final-"):
        overrides[prefix + "user-rejects-authentication"] = {
            "browser": [pages.walk(issuer, first=pages.CANCEL)]
        }
        overrides[prefix + "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"] = {
            "browser": [pages.first_visit(issuer), pages.walk(issuer)]
        }
        for name in (
            "par-attempt-to-use-request_uri-for-different-client",
            "par-attempt-to-use-expired-request_uri",
            "ensure-unsigned-authorization-request-without-using-par-fails",
            "ensure-signed-authorization-request-without-using-par-fails",
        ):
            either = pages.look_or_return(authorize, pages.REFUSED, suite=suite)
            overrides[prefix + name] = {"browser": [either]}
    clients = {
        place: {
            "client_id": client_id,
            "scope": "openid email",
            "jwks": {"keys": [key]},
            "dpop_signing_alg": "ES256",
        }
        for place, (client_id, key) in zip(("client", "client2"), keys.items(), strict=True)
    }
    return {
        "alias": FAPI_ALIAS,
        "description": "Kosodate ID, FAPI 2.0",
        "server": {"discoveryUrl": f"{issuer}/.well-known/openid-configuration"},
        **clients,
        "resource": {"resourceUrl": f"{issuer}/userinfo"},
        "browser": [pages.walk(issuer)],
        "override": overrides,
        "options": {"browsercontrol_css_enable": False},
    }


def describe_fapi_client(client_id: str, suite: str, *, public_key: dict) -> dict:
    """Return the metadata of one of the four clients, for `idp clients import`."""
    query = "" if client_id in {PUSHING[0], SIGNING[0]} else "?dummy1=lorem&dummy2=ipsum"
    return {
        "client_id": client_id,
        "client_name": client_id,
        "kosodate_profile": "fapi2",
        "kosodate_sector": "conformance",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [public_key]},
        "redirect_uris": [f"{suite}/test/a/{FAPI_ALIAS}/callback{query}"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid profile email phone address offline_access",
        "id_token_signed_response_alg": "ES256",
        "authorization_signed_response_alg": "ES256",
        "require_signed_request_object": client_id in SIGNING,
    }
