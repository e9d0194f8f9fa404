"""The provider as the protocol endpoints see it, from the settings."""

from idp.oauth.provider import Provider
from idp.web.deps import services


def current_provider() -> Provider:
    """Return issuer, lifetimes and keys of this application."""
    return services().provider
