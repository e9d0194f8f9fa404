"""The keys of an installation, as its settings name them."""

from idp.base.keyring import Keyring, build_keyring
from idp.base.secret import from_base64url
from idp.settings.schema import Settings


def keyring_of(settings: Settings) -> Keyring:
    """Build the keys of this installation from its settings."""
    secrets = settings.secrets
    previous = secrets.previous_master_key
    return build_keyring(
        master_key=from_base64url(secrets.master_key),
        subject_key=from_base64url(secrets.subject_key),
        pepper=from_base64url(secrets.password_pepper),
        previous_master_key=from_base64url(previous) if previous else None,
    )
