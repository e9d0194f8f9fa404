"""Answers that only their client can read: signed first, then encrypted to its key (RFC 7516)."""

from dataclasses import dataclass
from datetime import datetime

from joserfc import jwe

from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.client_signatures import import_public_key
from idp.protocol.client import Encryption, RegisteredClient
from idp.protocol.jwk import Jwk, pick_encryption_key


@dataclass(frozen=True)
class Recipient:
    """The key of a client, and how it wants things encrypted to it."""

    jwk: Jwk
    wanted: Encryption

    def encrypt(self, signed: str) -> str:
        """Return a signed token in an envelope for the client alone (RFC 7519 §5.2)."""
        header = {"alg": self.wanted.alg, "enc": self.wanted.enc, "cty": "JWT"}
        kid = self.jwk.get("kid")
        if isinstance(kid, str):
            header["kid"] = kid
        key = import_public_key(self.jwk)
        assert key is not None  # find_recipient has tried it
        registry = jwe.JWERegistry(algorithms=[self.wanted.alg, self.wanted.enc])
        return jwe.encrypt_compact(header, signed.encode(), key, registry=registry)


def find_recipient(
    client: RegisteredClient,
    wanted: Encryption | None,
    *,
    client_keys: ClientKeys,
    now: datetime,
) -> Recipient | None:
    """Return whom to encrypt to; None if the client has no key for it.

    Raises:
        KeysWanted: the client publishes its keys, and they have to be fetched first.
    """
    if wanted is None:
        return None
    jwk = pick_encryption_key(client_keys.of(client, now=now), alg=wanted.alg)
    if jwk is None or import_public_key(jwk) is None:
        client_keys.look_again(client, now=now)
        return None
    return Recipient(jwk, wanted)
