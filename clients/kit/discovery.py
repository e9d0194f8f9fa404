"""Authlib's Flask client with a discovery document that is checked, bounded and renewed."""

from collections.abc import Mapping
from threading import Lock
from time import monotonic
from typing import Any

from authlib.integrations.flask_client import FlaskOAuth2App
from authlib.oauth2.auth import ClientAuth
from joserfc.jwk import KeySet

from clients.kit.http import ProviderSession, basic_authorization
from clients.kit.logout_token import ALGORITHMS
from clients.kit.settings import is_allowed_url

_FRESH_SECONDS = 3600.0
#: How long an old document is kept in use while the provider does not answer.
_RETRY_SECONDS = 60.0
#: Anybody may send logout tokens with key ids nobody knows: ask again this seldom.
_REFETCH_SECONDS = 10.0

_ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "end_session_endpoint",
)
#: Only these reach Authlib, which would take any key of the document for a setting of its own.
_KEPT = (
    "issuer",
    "scopes_supported",
    "authorization_response_iss_parameter_supported",
)


def _authenticate(
    client: ClientAuth, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """Authenticate at the token endpoint, in the form Authlib wants it."""
    headers["Authorization"] = basic_authorization(client.client_id, client.client_secret)
    return uri, headers, body


class DiscoveryError(Exception):
    """The provider's description of itself cannot be used; the argument says what is wrong."""


class ProviderClient(FlaskOAuth2App):  # type: ignore[misc]  # Authlib has no types
    """The provider as this client knows it."""

    client_cls = ProviderSession

    def __init__(self, *args: Any, issuer: str, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.client_auth_methods = [("client_secret_basic", _authenticate)]
        self._issuer = issuer
        self._lock = Lock()
        self._stale_at = float("-inf")
        self._refetch_at = float("-inf")

    def load_server_metadata(self) -> dict[str, Any]:
        """Return the document, fetched at most once an hour; an old one while it is missing.

        Raises:
            DiscoveryError: it is not the document of our issuer.
            RequestException: the provider does not answer and never did.
        """
        with self._lock:
            if monotonic() >= self._stale_at:
                self._renew()
            metadata: dict[str, Any] = self.server_metadata
            return metadata

    def signing_keys(self, *, renew: bool) -> KeySet:
        """Return the provider's keys; `renew` asks for them anew, if not just done."""
        with self._lock:
            renew = renew and monotonic() >= self._refetch_at
            if renew:
                self._refetch_at = monotonic() + _REFETCH_SECONDS
        return KeySet.import_key_set(self.fetch_jwk_set(force=renew))

    def _renew(self) -> None:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            with self._get_session() as session:
                response = session.request("GET", url, withhold_token=True)
                response.raise_for_status()
                self.server_metadata = _checked(response.json(), self._issuer)
        except Exception:
            if not self.server_metadata:
                raise
            self._stale_at = monotonic() + _RETRY_SECONDS
        else:
            self._stale_at = monotonic() + _FRESH_SECONDS


def _checked(document: object, issuer: str) -> dict[str, Any]:
    """Keep what we need of a document (OIDC Discovery §4.3: the issuer must be the same)."""
    if not isinstance(document, Mapping) or document.get("issuer") != issuer:
        raise DiscoveryError("issuer")
    kept = {name: document[name] for name in (*_KEPT, *_ENDPOINTS) if name in document}
    for name in _ENDPOINTS:
        url = kept.get(name)
        if not isinstance(url, str) or not is_allowed_url(url):
            raise DiscoveryError(name)
    offered = document.get("id_token_signing_alg_values_supported")
    if not isinstance(offered, list):
        raise DiscoveryError("id_token_signing_alg_values_supported")
    kept["id_token_signing_alg_values_supported"] = [
        algorithm for algorithm in ALGORITHMS if algorithm in offered
    ]
    return kept
