"""The browser at the other side of a sign-in."""

from dataclasses import dataclass

from idp.domain.signin.sessions import SignedIn
from idp.domain.upkeep.audit import Actor


@dataclass(frozen=True)
class Visitor:
    """Where a request comes from, and who is signed in there already."""

    #: The peer's address, for the audit.
    address: str
    #: What counts as one peer: an IPv4 address, an IPv6 /64.
    network: str
    #: `Safari (iPhone)`
    label: str
    device_token: str | None = None
    person: SignedIn | None = None

    @property
    def actor(self) -> Actor:
        """Who the audit says acts, before anybody is known."""
        return Actor(kind="visitor", address=self.address)
