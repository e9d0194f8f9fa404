"""The relying party's half of OpenID Connect: what we ask another provider, what we believe.

Kinds of providers differ; a profile says what is asked of one and which signatures it makes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from idp.base.secret import equal
from idp.base.url import with_query
from idp.protocol import pkce
from idp.protocol.jwt_claims import is_current, is_for
from idp.protocol.params import find_fault

_MAX_SUBJECT = 255
_ANSWER = frozenset({"state", "code", "iss", "error"})


class Profile(StrEnum):
    """What kind of provider it is."""

    #: Any provider that follows the specification.
    OPENID = "openid"
    #: The authentication app of the Digital Agency, with the My Number card.
    DIGITAL_AUTH_APP = "digital_auth_app"


@dataclass(frozen=True)
class Quirks:
    """What is asked of a kind of provider, and which algorithms it signs with."""

    algorithms: tuple[str, ...]
    scope: str
    acr_values: str | None = None
    #: A client secret is not enough there.
    needs_key: bool = False


QUIRKS: Mapping[Profile, Quirks] = MappingProxyType(
    {
        Profile.OPENID: Quirks(("RS256", "PS256", "ES256", "EdDSA"), "openid profile"),
        Profile.DIGITAL_AUTH_APP: Quirks(
            ("ES256",), "openid name", acr_values="aal3 crl", needs_key=True
        ),
    }
)


class UpstreamFault(StrEnum):
    """Why an answer of the provider is not believed; for the log."""

    ISSUER = "upstream_issuer"
    ENDPOINT = "upstream_endpoint"
    AWAY = "upstream_away"
    REFUSED = "upstream_refused"
    CONTENT = "upstream_content"
    SIGNATURE = "upstream_signature"
    AUDIENCE = "upstream_audience"
    TIME = "upstream_time"
    NONCE = "upstream_nonce"
    SUBJECT = "upstream_subject"
    ACR = "upstream_acr"


@dataclass(frozen=True)
class UpstreamMetadata:
    """What the provider publishes about itself, as far as we use it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    #: It always names itself in its answers (RFC 9207 §3).
    names_itself: bool


def parse_metadata(
    content: Mapping[str, object], *, issuer: str
) -> UpstreamMetadata | UpstreamFault:
    """Read a discovery document; it must be that of the very issuer (OIDC Discovery §4.3)."""
    if content.get("issuer") != issuer:
        return UpstreamFault.ISSUER
    found = [content.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    texts = [value for value in found if isinstance(value, str) and value]
    if len(texts) != len(found):
        return UpstreamFault.ENDPOINT
    return UpstreamMetadata(
        issuer=issuer,
        authorization_endpoint=texts[0],
        token_endpoint=texts[1],
        jwks_uri=texts[2],
        names_itself=content.get("authorization_response_iss_parameter_supported") is True,
    )


@dataclass(frozen=True)
class UpstreamSecrets:
    """What one authentication request is bound to."""

    state: str
    nonce: str
    code_verifier: str


def build_request_address(
    metadata: UpstreamMetadata,
    quirks: Quirks,
    secrets: UpstreamSecrets,
    *,
    client_id: str,
    redirect_uri: str,
) -> str:
    """Return where the browser is sent: code flow with PKCE, state and nonce."""
    params = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": quirks.scope,
        "state": secrets.state,
        "nonce": secrets.nonce,
        "code_challenge": pkce.build_challenge(secrets.code_verifier),
        "code_challenge_method": pkce.METHOD,
        # The card has to be there now, whatever session the provider remembers.
        "prompt": "login",
    }
    if quirks.acr_values is not None:
        params["acr_values"] = quirks.acr_values
    return with_query(metadata.authorization_endpoint, params)


@dataclass(frozen=True)
class UpstreamAnswer:
    """The parameters with which the browser comes back."""

    state: str
    code: str | None
    issuer: str | None


def read_answer(pairs: Iterable[tuple[str, str]]) -> UpstreamAnswer | None:
    """Read an answer; none has a parameter twice, one too long, or no state."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in _ANSWER and (name in found or find_fault(name, value) is not None):
            return None
        found[name] = value
    if not found.get("state"):
        return None
    code = None if "error" in found else found.get("code") or None
    return UpstreamAnswer(found["state"], code, found.get("iss"))


def read_code(answer: UpstreamAnswer, metadata: UpstreamMetadata) -> str | UpstreamFault:
    """Return the code of an answer that is the provider's own (RFC 9207 §2.4)."""
    if answer.issuer is None and metadata.names_itself:
        return UpstreamFault.ISSUER
    if answer.issuer not in (None, metadata.issuer):
        return UpstreamFault.ISSUER
    return answer.code or UpstreamFault.REFUSED


@dataclass(frozen=True)
class UpstreamIdentity:
    """Whom the provider has vouched for."""

    issuer: str
    subject: str
    acr: str | None
    name: str | None
    #: How it was proved there.
    method: Profile


@dataclass(frozen=True)
class Expected:
    """What an ID token must say to be the answer to our request."""

    issuer: str
    client_id: str
    nonce: str
    profile: Profile
    #: Any of these; empty: whatever it says.
    acr: tuple[str, ...] = ()


def judge_id_token(
    header: Mapping[str, object],
    claims: Mapping[str, object],
    expected: Expected,
    *,
    now: datetime,
) -> UpstreamIdentity | UpstreamFault:
    """Check every claim of an ID token whose signature is right (OIDC Core §3.1.3.7)."""
    fault = _find_fault(header, claims, expected, now=now)
    if fault is not None:
        return fault
    acr, name = claims.get("acr"), claims.get("name")
    return UpstreamIdentity(
        issuer=expected.issuer,
        subject=str(claims["sub"]),
        acr=acr if isinstance(acr, str) else None,
        name=name if isinstance(name, str) and name else None,
        method=expected.profile,
    )


def _find_fault(
    header: Mapping[str, object],
    claims: Mapping[str, object],
    expected: Expected,
    *,
    now: datetime,
) -> UpstreamFault | None:
    nonce, subject = claims.get("nonce"), claims.get("sub")
    checks = (
        (header.get("typ", "JWT") == "JWT", UpstreamFault.CONTENT),
        (claims.get("iss") == expected.issuer, UpstreamFault.ISSUER),
        (is_for(claims, expected.client_id), UpstreamFault.AUDIENCE),
        (claims.get("azp", expected.client_id) == expected.client_id, UpstreamFault.AUDIENCE),
        ("iat" in claims and is_current(claims, now=now), UpstreamFault.TIME),
        (
            isinstance(nonce, str) and equal(nonce.encode(), expected.nonce.encode()),
            UpstreamFault.NONCE,
        ),
        (isinstance(subject, str) and 0 < len(subject) <= _MAX_SUBJECT, UpstreamFault.SUBJECT),
        (not expected.acr or claims.get("acr") in expected.acr, UpstreamFault.ACR),
    )
    return next((fault for is_right, fault in checks if not is_right), None)
