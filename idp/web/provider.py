"""The provider as the protocol endpoints see it, from the settings."""

from datetime import timedelta

from idp.oauth.provider import Provider
from idp.web.deps import services


def current_provider() -> Provider:
    """Return issuer, lifetimes and keys of this application."""
    settings = services().settings
    tokens = settings.tokens
    return Provider(
        issuer=settings.provider.issuer,
        keys=services().keys,
        code_lifetime=timedelta(seconds=tokens.code_lifetime_seconds),
        access_lifetime=timedelta(seconds=tokens.access_lifetime_seconds),
        id_lifetime=timedelta(seconds=tokens.id_lifetime_seconds),
        refresh_idle=timedelta(days=tokens.refresh_idle_days),
        refresh_absolute=timedelta(days=tokens.refresh_absolute_days),
        requires_dpop_nonce=tokens.require_dpop_nonce,
        client_keys=services().client_keys,
        request_objects=services().request_objects,
    )
