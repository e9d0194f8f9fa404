"""The server's own keys, each for one purpose."""

from dataclasses import dataclass

from idp.base.seal import Sealer
from idp.base.secret import derive_key


@dataclass(frozen=True)
class Keyring:
    """Keys that come from the settings and live in no database.

    Only `subject_key` may never change: every pairwise `sub` is derived from it.
    """

    #: HMAC of short codes at rest (mailed codes, codes of set-up sheets).
    code_key: bytes
    #: HMAC of form tokens (CSRF).
    form_key: bytes
    #: Pairwise `sub`, `household_id` and `child_id`.
    subject_key: bytes
    #: Mixed into every password before the hash.
    pepper: bytes
    #: HMAC of the nonces in proofs of possession.
    nonce_key: bytes
    #: What must be read back: private keys, TOTP seeds, outbox bodies, addresses.
    sealer: Sealer


def build_keyring(
    *, master_key: bytes, subject_key: bytes, pepper: bytes, previous_master_key: bytes | None
) -> Keyring:
    """Derive the purpose keys from the master key; an older one still unseals."""
    older = () if previous_master_key is None else (derive_key(previous_master_key, "seal"),)
    return Keyring(
        code_key=derive_key(master_key, "code"),
        form_key=derive_key(master_key, "form"),
        subject_key=subject_key,
        pepper=pepper,
        nonce_key=derive_key(master_key, "nonce"),
        sealer=Sealer(derive_key(master_key, "seal"), *older),
    )
