"""The upstream provider as this process knows it: metadata, keys, and how we prove ourselves."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.base.http import Fetched, FetchError, HttpClient
from idp.domain.grants.client_signatures import import_public_key, peek
from idp.domain.grants.jose import REGISTRIES
from idp.protocol.claims import is_shallow
from idp.protocol.client_auth import ASSERTION_TYPE
from idp.protocol.jwk import Jwk, read_published_keys, signature_keys
from idp.protocol.upstream import (
    QUIRKS,
    Expected,
    Profile,
    Quirks,
    UpstreamFault,
    UpstreamIdentity,
    UpstreamMetadata,
    UpstreamSecrets,
    judge_id_token,
    parse_metadata,
)

#: Metadata and keys are read again after so long.
_FRESH_FOR = timedelta(minutes=10)
#: Keys are asked for at most so often when an unknown one was named.
_ASK_AGAIN_AFTER = timedelta(seconds=30)
_ASSERTION_LIFETIME = timedelta(seconds=60)
_KEY_ALGORITHMS: Mapping[str, str] = {"EC": "ES256", "RSA": "RS256", "OKP": "EdDSA"}

_log = structlog.get_logger()

SigningKey = ECKey | RSAKey | OKPKey


class UpstreamError(Exception):
    """The provider is away, or what it says is not believed; the log has the reason."""

    def __init__(self, fault: UpstreamFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class UpstreamConfig:
    """How the operator registered us there."""

    issuer: str
    client_id: str
    redirect_uri: str
    profile: Profile
    #: One of the two: a key is preferred (private_key_jwt), else a secret.
    key: SigningKey | None = None
    client_secret: str = ""
    #: What the provider must have reached; empty: whatever it says.
    required_acr: tuple[str, ...] = ()

    @property
    def quirks(self) -> Quirks:
        """Return what is asked of this kind of provider."""
        return QUIRKS[self.profile]


@dataclass
class _Known:
    """What was read last, and when."""

    metadata: UpstreamMetadata | None = None
    metadata_at: datetime | None = None
    keys: tuple[Jwk, ...] = ()
    keys_at: datetime | None = None


@dataclass(frozen=True)
class UpstreamProvider:
    """Talks to the provider. No transaction may be open meanwhile."""

    config: UpstreamConfig
    http: HttpClient
    _known: _Known = field(default_factory=_Known)
    _lock: Lock = field(default_factory=Lock)

    def metadata(self, *, now: datetime) -> UpstreamMetadata:
        """Return what the provider publishes about itself.

        Raises:
            UpstreamError: upstream_away, upstream_content, upstream_issuer or upstream_endpoint.
        """
        with self._lock:
            known = self._known
            if known.metadata is None or _is_old(known.metadata_at, _FRESH_FOR, now=now):
                known.metadata = self._read_metadata()
                known.metadata_at = now
            return known.metadata

    def _read_metadata(self) -> UpstreamMetadata:
        issuer = self.config.issuer
        found = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        metadata = parse_metadata(found, issuer=issuer)
        if isinstance(metadata, UpstreamFault):
            raise UpstreamError(metadata)
        return metadata

    def _fetch(self, address: str) -> Mapping[str, object]:
        try:
            found = self.http.get(address)
        except FetchError as error:
            _log.warning("upstream.failed", reason=error.reason)
            raise UpstreamError(UpstreamFault.AWAY) from None
        return _read_json(found)

    def redeem(self, code: str, proof: UpstreamSecrets, *, now: datetime) -> UpstreamIdentity:
        """Exchange a code for the identity that stands behind it (OIDC Core §3.1.3).

        Raises:
            UpstreamError: the provider is away, refuses, or its ID token is not believed.
        """
        metadata = self.metadata(now=now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.config.redirect_uri,
            "code_verifier": proof.code_verifier,
            "client_id": self.config.client_id,
            **self._client_proof(now=now),
        }
        try:
            answer = _read_json(self.http.post_form(metadata.token_endpoint, form))
        except FetchError as error:
            _log.warning("upstream.failed", reason=error.reason)
            raise UpstreamError(UpstreamFault.AWAY) from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise UpstreamError(UpstreamFault.CONTENT)
        return self._judge(token, proof, metadata, now=now)

    def _client_proof(self, *, now: datetime) -> dict[str, str]:
        """Prove who we are, to this provider alone (RFC 7523 §3)."""
        key = self.config.key
        if key is None:
            return {"client_secret": self.config.client_secret}
        claims = {
            "iss": self.config.client_id,
            "sub": self.config.client_id,
            "aud": self.config.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": int(now.timestamp()),
            "exp": int((now + _ASSERTION_LIFETIME).timestamp()),
        }
        alg = _KEY_ALGORITHMS[key.key_type]
        header = {"alg": alg, **({"kid": key.kid} if key.kid else {})}
        assertion = jwt.encode(header, claims, key, registry=REGISTRIES[alg])
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}

    def _judge(
        self, token: str, proof: UpstreamSecrets, metadata: UpstreamMetadata, *, now: datetime
    ) -> UpstreamIdentity:
        header = peek(token, 0)
        alg = None if header is None or "crit" in header else header.get("alg")
        if header is None or alg not in self.config.quirks.algorithms:
            raise UpstreamError(UpstreamFault.SIGNATURE)
        claims = self._open(token, str(alg), header.get("kid"), metadata, now=now)
        expected = Expected(
            metadata.issuer,
            self.config.client_id,
            proof.nonce,
            self.config.profile,
            self.config.required_acr,
        )
        judged = judge_id_token(header, claims, expected, now=now)
        if isinstance(judged, UpstreamFault):
            raise UpstreamError(judged)
        return judged

    def _open(
        self, token: str, alg: str, kid: object, metadata: UpstreamMetadata, *, now: datetime
    ) -> Mapping[str, object]:
        """Verify with the published keys alone; newer ones are asked for when none fits."""
        for age in (_FRESH_FOR, _ASK_AGAIN_AFTER):
            for jwk in signature_keys(self._keys(metadata, age, now=now), alg=alg, kid=kid):
                claims = _verify(token, jwk, alg)
                if claims is not None:
                    return claims
        raise UpstreamError(UpstreamFault.SIGNATURE)

    def _keys(
        self, metadata: UpstreamMetadata, age: timedelta, *, now: datetime
    ) -> tuple[Jwk, ...]:
        with self._lock:
            if _is_old(self._known.keys_at, age, now=now):
                found = read_published_keys(self._fetch(metadata.jwks_uri))
                if found is None:
                    raise UpstreamError(UpstreamFault.CONTENT)
                self._known.keys, self._known.keys_at = found, now
            return self._known.keys


def _is_old(read_at: datetime | None, age: timedelta, *, now: datetime) -> bool:
    return read_at is None or now - read_at >= age


def _verify(token: str, jwk: Jwk, alg: str) -> Mapping[str, object] | None:
    key = import_public_key(jwk)
    if key is None:
        return None
    try:
        return jwt.decode(token, key, registry=REGISTRIES[alg]).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        return None


def _read_json(found: Fetched) -> Mapping[str, object]:
    """Read a JSON object that was answered with 200."""
    if found.status != 200:
        raise UpstreamError(UpstreamFault.REFUSED)
    try:
        text = found.body.decode("utf-8")
        content = json.loads(text) if is_shallow(text) else None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UpstreamError(UpstreamFault.CONTENT)
    return content
