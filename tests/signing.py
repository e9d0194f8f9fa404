"""Signing keys for tests: made once a run, since an RSA key takes a tenth of a second."""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from idp.domain.grants.keys import key_context, wrap_key
from idp.model.grants import KeyState, SigningKey


@lru_cache
def private_key(alg, number=0):
    """Return the same private key for the same name, everywhere in a run."""
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def install_key(db, *, keys, now, alg, state=KeyState.ACTIVE, number=0):
    """Write a signing key into the database and return its id."""
    private = private_key(alg, number)
    kid = wrap_key(private, kid="", alg=alg).thumbprint()
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    db.add(
        SigningKey(
            kid=kid,
            alg=alg,
            state=state,
            public_jwk=wrap_key(private, kid=kid, alg=alg).as_dict(private=False),
            sealed_private=keys.sealer.seal(der, context=key_context(kid)),
            created_at=now,
            activated_at=now,
        )
    )
    db.flush()
    return kid


def install_keys(db, *, keys, now):
    """Write the two keys that every installation has."""
    return [install_key(db, keys=keys, now=now, alg=alg) for alg in ("ES256", "RS256")]
