"""What the seam needs to know of this installation."""

from dataclasses import dataclass, field
from datetime import timedelta

from idp.base.keyring import Keyring
from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.request_objects import RequestObjects


@dataclass(frozen=True)
class Provider:
    """Issuer, lifetimes and keys; built once from the settings."""

    issuer: str
    keys: Keyring
    code_lifetime: timedelta = timedelta(seconds=60)
    access_lifetime: timedelta = timedelta(minutes=5)
    id_lifetime: timedelta = timedelta(minutes=5)
    refresh_idle: timedelta = timedelta(days=30)
    refresh_absolute: timedelta = timedelta(days=90)
    #: Proofs of possession must repeat a nonce of ours (RFC 9449 §8).
    requires_dpop_nonce: bool = False
    #: Public keys of clients, as this process knows them.
    client_keys: ClientKeys = field(default_factory=ClientKeys)
    #: Request objects by reference, as this process has fetched them.
    request_objects: RequestObjects = field(default_factory=RequestObjects)

    @property
    def token_endpoint(self) -> str:
        """Return the address that some clients name as the audience of their assertions."""
        return f"{self.issuer}/token"
