"""The key that a client proves to hold, at the endpoints where it is told tokens (RFC 9449)."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain.grants.proofs import is_nonce, new_nonce, spend_proof, verify_proof
from idp.oauth.calls import Call
from idp.oauth.provider import Provider
from idp.protocol.client import RegisteredClient
from idp.protocol.dpop import ProofFault, ProofTarget
from idp.protocol.errors import EndpointError

NONCE_HEADER = "DPoP-Nonce"


def resolve_key(db: Session, call: Call, *, provider: Provider, now: datetime) -> str | None:
    """Return the thumbprint of the key that a call proves to hold; None if it brings no proof.

    Raises:
        EndpointError: invalid_dpop_proof, or use_dpop_nonce with the nonce to use.
    """
    if not call.proofs:
        return None
    if len(call.proofs) != 1:
        raise refused_proof(ProofFault.SHAPE)
    target = ProofTarget(call.method, f"{provider.issuer}{call.path}")
    proof = verify_proof(call.proofs[0], target, now=now)
    if isinstance(proof, ProofFault):
        raise refused_proof(proof)
    if provider.requires_dpop_nonce and not is_nonce(provider.keys, proof.nonce or "", now=now):
        raise EndpointError(
            "use_dpop_nonce",
            "The proof must repeat a nonce of this server.",
            headers=nonce_header(provider, now=now),
        )
    if not spend_proof(db, proof, now=now):
        raise refused_proof(ProofFault.REPLAYED)
    return proof.key


def require_key(client: RegisteredClient, key: str | None) -> None:
    """Refuse a client whose tokens must be bound to a key, if it has proved none (§5.2).

    Raises:
        EndpointError: invalid_dpop_proof.
    """
    if client.needs_dpop and key is None:
        raise EndpointError(
            "invalid_dpop_proof", "This client needs a DPoP proof.", reason="dpop_missing"
        )


def refused_proof(fault: ProofFault) -> EndpointError:
    """Return the one answer to every proof that is wrong; the log has the reason."""
    return EndpointError("invalid_dpop_proof", "The DPoP proof is not valid.", reason=fault.value)


def nonce_header(provider: Provider, *, now: datetime) -> Mapping[str, str]:
    """Return the header that hands out a nonce, where nonces are asked for (§8.2)."""
    if not provider.requires_dpop_nonce:
        return {}
    return {NONCE_HEADER: new_nonce(provider.keys, now=now)}
