"""What the sign-in needs of the house beside the database: keys, and rules from the settings."""

from dataclasses import dataclass, field

from idp.base.keyring import Keyring
from idp.domain.signin.code_mails import CodeRules
from idp.domain.signin.sessions import SessionLimits


@dataclass(frozen=True)
class Setup:
    """Keys and rules; the views build it from the services."""

    keys: Keyring
    codes: CodeRules = field(default_factory=CodeRules)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    #: Wrong passwords until the lock.
    password_tries: int = 5
