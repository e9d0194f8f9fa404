"""Proofs of possession: checked with their own key, used once, bound to a time of ours."""

from datetime import datetime, timedelta

from joserfc import jws
from joserfc.errors import JoseError
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import equal, from_base64url, keyed_digest, to_base64url
from idp.domain.grants.client_signatures import import_public_key
from idp.domain.grants.jose import PROOF_REGISTRIES
from idp.domain.grants.replay import spend_once
from idp.protocol.dpop import (
    WINDOW,
    Proof,
    ProofFault,
    ProofTarget,
    find_proof_fault,
    parse_proof,
)

#: A nonce of ours is good for this time and the next.
NONCE_STEP = timedelta(minutes=5)
_COUNT_BYTES = 8
_MAC_BYTES = 16


def verify_proof(text: str, target: ProofTarget, *, now: datetime) -> Proof | ProofFault:
    """Return a proof that is signed with its own key, for this request and this moment.

    Whether it was seen before is asked last, by `spend_proof`.
    """
    proof = parse_proof(text)
    if isinstance(proof, ProofFault):
        return proof
    if not _is_signed(proof):
        return ProofFault.SIGNATURE
    return find_proof_fault(proof, target, now=now) or proof


def _is_signed(proof: Proof) -> bool:
    key = import_public_key(proof.jwk)
    if key is None:
        return False
    try:
        jws.deserialize_compact(proof.text, key, registry=PROOF_REGISTRIES[proof.alg])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def spend_proof(db: Session, proof: Proof, *, now: datetime) -> bool:
    """Use a proof up; of two at once one wins (RFC 9449 §11.1)."""
    return spend_once(db, proof.mark, until=now + 2 * WINDOW)


def new_nonce(keys: Keyring, *, now: datetime) -> str:
    """Return the nonce that proofs should repeat now; nothing is stored for it (§8)."""
    return _nonce(keys, _step(now))


def is_nonce(keys: Keyring, text: str, *, now: datetime) -> bool:
    """Whether a nonce is ours and still good: of this time or the one before."""
    try:
        raw = from_base64url(text)
    except ValueError:
        return False
    step = int.from_bytes(raw[:_COUNT_BYTES])
    if _step(now) - step not in (0, 1):
        return False
    return equal(_nonce(keys, step).encode(), text.encode("utf-8", "replace"))


def _step(now: datetime) -> int:
    return int(now.timestamp() // NONCE_STEP.total_seconds())


def _nonce(keys: Keyring, step: int) -> str:
    mac = keyed_digest(keys.nonce_key, f"dpop:{step}")[:_MAC_BYTES]
    return to_base64url(step.to_bytes(_COUNT_BYTES) + mac)
