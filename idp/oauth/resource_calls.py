"""A token that is used at a protected resource of ours: one, one way, with the proof it needs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.access_tokens import LiveToken
from idp.domain.grants.proofs import is_nonce, spend_proof, verify_proof
from idp.oauth.proofs import nonce_header
from idp.oauth.provider import Provider
from idp.protocol.dpop import SCHEME, Proof, ProofFault, ProofTarget
from idp.protocol.errors import BearerError
from idp.protocol.params import Params

_MAX_TOKEN = 16_384


@dataclass(frozen=True)
class ResourceCall:
    """What a client sent to a resource: headers and form."""

    authorization: str | None
    params: Params
    method: str
    path: str
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True)
class PresentedToken:
    """The token, and the proof that came with it; without one it came as a bearer token."""

    token: str
    proof: Proof | None = None


def resolve_token(call: ResourceCall, *, provider: Provider, now: datetime) -> PresentedToken:
    """Return the one access token of a request (RFC 6750 §2, RFC 9449 §7.1).

    Raises:
        BearerError: none at all, two, a header of another kind, or a proof that is wrong.
    """
    in_body = call.params.values.get("access_token")
    if "access_token" in call.params.faults or None not in (call.authorization, in_body):
        raise BearerError("invalid_request", "Send one access token, one way.", status=400)
    if call.authorization is None:
        if in_body is None:
            raise BearerError(None, "No access token was sent.")
        return PresentedToken(in_body)
    scheme, _, token = call.authorization.partition(" ")
    if scheme.lower() not in ("bearer", SCHEME.lower()):
        raise BearerError(None, "No access token was sent.")
    token = token.strip()
    if not token or len(token) > _MAX_TOKEN:
        raise BearerError("invalid_token", "The access token is not valid.")
    if scheme.lower() == "bearer":
        return PresentedToken(token)
    return PresentedToken(token, _check_proof(call, token, provider=provider, now=now))


def _check_proof(call: ResourceCall, token: str, *, provider: Provider, now: datetime) -> Proof:
    if len(call.proofs) != 1 or not token.isascii():
        raise _refused_proof()
    target = ProofTarget(call.method, f"{provider.issuer}{call.path}", access_token=token)
    proof = verify_proof(call.proofs[0], target, now=now)
    if isinstance(proof, ProofFault):
        raise _refused_proof()
    if provider.requires_dpop_nonce and not is_nonce(provider.keys, proof.nonce or "", now=now):
        raise BearerError(
            "use_dpop_nonce",
            "The proof must repeat a nonce of this server.",
            scheme=SCHEME,
            headers=nonce_header(provider, now=now),
        )
    return proof


def check_possession(
    db: Session, presented: PresentedToken, live: LiveToken, *, now: datetime
) -> None:
    """Refuse a bound token without its key, and a proof for a token that is bound to no key.

    Raises:
        BearerError: invalid_token, or invalid_dpop_proof for one that was seen before.
    """
    proof = presented.proof
    if live.key != (None if proof is None else proof.key):
        raise BearerError("invalid_token", "The access token is not valid.", scheme=SCHEME)
    if proof is not None and not spend_proof(db, proof, now=now):
        raise _refused_proof()


def _refused_proof() -> BearerError:
    return BearerError("invalid_dpop_proof", "The DPoP proof is not valid.", scheme=SCHEME)
