"""Sign-in at the provider: code flow with PKCE, state, nonce and a checked `iss`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask
from joserfc.errors import JoseError
from requests import RequestException

from clients.kit.claims import ClaimsError, read_person
from clients.kit.discovery import DiscoveryError, ProviderClient
from clients.kit.errands import Errand
from clients.kit.logout_token import LogoutNotice, check_logout_token
from clients.kit.settings import Settings
from clients.kit.visits import SignIn

_LEEWAY_SECONDS = 30


class ProviderUnavailableError(Exception):
    """The provider does not answer, or says that it cannot; trying later may help."""


class SignInRefusedError(Exception):
    """The answer cannot be trusted or used; the argument is a stable reason for the log."""


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and what to remember until it is back."""

    url: str
    state: str
    nonce: str
    code_verifier: str


class RelyingParty:
    """This client at its provider."""

    def __init__(self, app: Flask, settings: Settings, scopes: Sequence[str]) -> None:
        self._settings = settings
        self._scopes = scopes
        self._client: ProviderClient = OAuth(app).register(
            "kosodate",
            client_cls=ProviderClient,
            issuer=settings.issuer,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            client_kwargs={
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic",
            },
        )

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser after sign-in."""
        return f"{self._settings.base_url}/callback"

    def depart(self, *, lang: str, login_hint: str) -> Departure:
        """Prepare the way to the provider's sign-in page.

        Raises:
            ProviderUnavailableError: its description cannot be had.
        """
        offered = self._metadata().get("scopes_supported", self._scopes)
        extra = {"login_hint": login_hint} if login_hint else {}
        begun = self._client.create_authorization_url(
            self.redirect_uri,
            scope=" ".join(scope for scope in self._scopes if scope in offered),
            ui_locales=lang,
            **extra,
        )
        return Departure(
            url=begun["url"],
            state=begun["state"],
            nonce=begun["nonce"],
            code_verifier=begun["code_verifier"],
        )

    def check_issuer(self, iss: str | None) -> None:
        """Check who answered (RFC 9207 §2.4), before anything else of the answer is believed.

        Raises:
            SignInRefusedError: iss
        """
        promised = self._metadata().get("authorization_response_iss_parameter_supported") is True
        if iss is None and not promised:
            return
        if iss != self._settings.issuer:
            raise SignInRefusedError("iss")

    def arrive(self, code: str | None, errand: Errand) -> SignIn:
        """Exchange the code, check the ID token, ask for the claims.

        Raises:
            SignInRefusedError: code, token, id_token, sub, sid or claims.
            ProviderUnavailableError: it did not answer.
        """
        if not code:
            raise SignInRefusedError("code")
        try:
            token = self._client.fetch_access_token(
                self.redirect_uri, code=code, code_verifier=errand.code_verifier
            )
            id_claims = self._client.parse_id_token(
                token,
                nonce=errand.nonce,
                claims_options={
                    "iss": {"essential": True, "value": self._settings.issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                },
                leeway=_LEEWAY_SECONDS,
            )
            if id_claims is None:
                raise SignInRefusedError("id_token")
            claims = self._client.userinfo(token=token)
        except (RequestException, DiscoveryError):
            raise ProviderUnavailableError from None
        except OAuthError:
            raise SignInRefusedError("token") from None
        except (JoseError, ValueError, KeyError, TypeError):
            raise SignInRefusedError("id_token") from None
        return _signed_in(id_claims, claims, token["id_token"])

    def sign_out_url(self, id_token: str | None, *, state: str, lang: str) -> str:
        """Return the provider's end-session address (RP-Initiated Logout §2).

        Raises:
            ProviderUnavailableError: its description cannot be had.
        """
        self._metadata()
        url: str = self._client.create_logout_url(
            post_logout_redirect_uri=f"{self._settings.base_url}/signed-out",
            id_token_hint=id_token,
            state=state,
            client_id=self._settings.client_id,
            ui_locales=lang,
        )["url"]
        return url

    def read_logout_token(self, token: str, *, now: datetime) -> LogoutNotice:
        """Check a logout token of the provider.

        Raises:
            LogoutTokenError: why it is refused.
            ProviderUnavailableError: its keys cannot be had.
        """
        try:
            return check_logout_token(
                token,
                lambda renew: self._client.signing_keys(renew=renew),
                issuer=self._settings.issuer,
                client_id=self._settings.client_id,
                now=now,
            )
        except (RequestException, DiscoveryError):
            raise ProviderUnavailableError from None

    def _metadata(self) -> dict[str, Any]:
        try:
            return self._client.load_server_metadata()
        except (RequestException, DiscoveryError, ValueError):
            raise ProviderUnavailableError from None


def _signed_in(id_claims: dict[str, Any], claims: Any, id_token: str) -> SignIn:  # noqa: ANN401
    """UserInfo belongs to the ID token only if both name the same person (OIDC Core §5.3.2)."""
    sub, sid = id_claims["sub"], id_claims.get("sid")
    if not isinstance(claims, dict) or claims.get("sub") != sub:
        raise SignInRefusedError("sub")
    if sid is not None and not isinstance(sid, str):
        raise SignInRefusedError("sid")
    try:
        read_person(claims)
    except ClaimsError:
        raise SignInRefusedError("claims") from None
    return SignIn(sub=sub, sid=sid, id_token=id_token, claims=claims)
