"""The current TOTP codes of the demo's staff, so that nobody needs a phone to try it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyotp import TOTP

from idp.demo.credentials import read_credentials


@dataclass(frozen=True)
class CurrentCode:
    """A person's code at this moment and how long it is still shown."""

    name: str
    login_id: str
    code: str
    seconds_left: int


def current_codes(credentials_file: Path, *, now: datetime) -> tuple[CurrentCode, ...]:
    """Return a code for everyone in the file who has a TOTP secret (RFC 6238)."""
    codes = []
    for login in read_credentials(credentials_file).logins:
        if login.totp_secret:
            totp = TOTP(login.totp_secret)
            left = totp.interval - int(now.timestamp()) % totp.interval
            codes.append(CurrentCode(login.name, login.login_id, totp.at(now), left))
    return tuple(codes)
