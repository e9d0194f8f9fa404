"""Proofs of possession: what a proof must say, and of which request (RFC 9449 §4)."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import unquote

from idp.base.secret import from_base64url, to_base64url
from idp.base.url import UrlError, origin_of, split_url
from idp.protocol.claims import is_shallow
from idp.protocol.jwk import Jwk, find_key_fault, is_key_of, thumbprint
from idp.protocol.jwt_claims import number_of

TYPE = "dpop+jwt"
SCHEME = "DPoP"
#: Never a symmetric one, never `none`, and nothing that FAPI 2.0 refuses.
ALGORITHMS = ("ES256", "PS256", "EdDSA")
#: A proof is for now: so much older or younger by the client's clock at most (§11.1).
WINDOW = timedelta(seconds=60)
#: A key of 4096 bits alone takes a thousand characters.
MAX_HEADER = 4_096
MAX_PROOF = 8_192
_MAX_JTI = 256
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class ProofFault(StrEnum):
    """Why a proof proves nothing. For the log: the client hears `invalid_dpop_proof`."""

    SHAPE = "dpop_shape"
    TYPE = "dpop_type"
    ALGORITHM = "dpop_algorithm"
    KEY = "dpop_key"
    SIGNATURE = "dpop_signature"
    CLAIMS = "dpop_claims"
    METHOD = "dpop_method"
    URL = "dpop_url"
    TIME = "dpop_time"
    TOKEN = "dpop_access_token"  # noqa: S105 - a reason
    REPLAYED = "dpop_replayed"


@dataclass(frozen=True)
class Proof:
    """A proof as it was read. Its signature still has to be checked with its own key."""

    text: str
    alg: str
    jwk: Jwk
    #: The name of the key: what tokens are bound to (§6.1).
    key: str
    claims: Mapping[str, object]

    @property
    def mark(self) -> str:
        """Return what no second proof may have: its `jti`, which the key's owner chose."""
        return f"dpop\0{self.key}\0{self.claims['jti']}"

    @property
    def nonce(self) -> str | None:
        """Return the nonce of ours that it repeats."""
        value = self.claims.get("nonce")
        return value if isinstance(value, str) else None


@dataclass(frozen=True)
class ProofTarget:
    """The request that a proof must be for."""

    method: str
    #: Of the settings, never of the Host header.
    url: str
    #: The token that is used with it, at a protected resource (§4.3 check 12).
    access_token: str | None = None


def parse_proof(text: str) -> Proof | ProofFault:
    """Read a proof without believing it: form, type, algorithm, a public key, its claims."""
    parts = text.split(".")
    if len(text) > MAX_PROOF or len(parts) != 3 or len(parts[0]) > MAX_HEADER:
        return ProofFault.SHAPE
    header, claims = _read(parts[0]), _read(parts[1])
    if header is None or claims is None or "crit" in header:
        return ProofFault.SHAPE
    if header.get("typ") != TYPE:
        return ProofFault.TYPE
    alg, jwk = header.get("alg"), header.get("jwk")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        return ProofFault.ALGORITHM
    if not isinstance(jwk, dict) or find_key_fault(jwk) is not None or not is_key_of(jwk, alg):
        return ProofFault.KEY
    if not _has_claims(claims):
        return ProofFault.CLAIMS
    return Proof(text, alg, jwk, thumbprint(jwk), claims)


def _read(part: str) -> Mapping[str, object] | None:
    try:
        text = from_base64url(part).decode("utf-8")
        content = json.loads(text) if is_shallow(text) else None
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _has_claims(claims: Mapping[str, object]) -> bool:
    jti = claims.get("jti")
    return (
        isinstance(jti, str)
        and 0 < len(jti) <= _MAX_JTI
        and isinstance(claims.get("htm"), str)
        and isinstance(claims.get("htu"), str)
        and number_of(claims, "iat") is not None
    )


def find_proof_fault(proof: Proof, target: ProofTarget, *, now: datetime) -> ProofFault | None:
    """Return why a proof is not for this request at this moment, or None (§4.3)."""
    claims = proof.claims
    if claims["htm"] != target.method:
        return ProofFault.METHOD
    wanted = normalize_htu(target.url)
    if wanted is None or normalize_htu(str(claims["htu"])) != wanted:
        return ProofFault.URL
    if not _is_now(claims, now=now):
        return ProofFault.TIME
    if target.access_token is not None and claims.get("ath") != token_hash(target.access_token):
        return ProofFault.TOKEN
    return None


def _is_now(claims: Mapping[str, object], *, now: datetime) -> bool:
    """Whether it was made just now; `exp` and `nbf` count where a client adds them."""
    moment, width = now.timestamp(), WINDOW.total_seconds()
    made = number_of(claims, "iat")
    if made is None or abs(moment - made) > width:
        return False
    for name, sign in (("exp", 1), ("nbf", -1)):
        if name in claims:
            edge = number_of(claims, name)
            if edge is None or (edge - moment) * sign + width < 0:
                return False
    return True


def token_hash(access_token: str) -> str:
    """Return the `ath` of an access token (§4.2)."""
    return to_base64url(hashlib.sha256(access_token.encode()).digest())


def normalize_htu(text: str) -> str | None:
    """Return an address without query and fragment, in the form that compares (§4.3).

    Scheme and host do not tell cases apart, the port of the scheme may stand there or not,
    and escapes of plain characters are no difference (RFC 3986 §6.2.2, §6.2.3).
    """
    bare = text.partition("#")[0].partition("?")[0]
    try:
        parts, origin = split_url(bare), origin_of(bare)
    except UrlError:
        return None
    if origin is None or parts.username is not None:
        return None
    return f"{origin}{_ESCAPED.sub(_normalize_escape, parts.path) or '/'}"


def _normalize_escape(match: re.Match[str]) -> str:
    sign = unquote(match[0], errors="replace")
    return sign if sign in _UNRESERVED else match[0].upper()
