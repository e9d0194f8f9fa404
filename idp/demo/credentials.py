"""Who can sign in to the demo, and with what: one private file, made with the seed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from idp.demo.private import write_private


@dataclass(frozen=True)
class Login:
    """A person of the demo who can sign in, or is about to."""

    door: str
    name: str
    note: str
    login_id: str
    password: str = ""
    totp_secret: str = ""
    application_number: str = ""


@dataclass(frozen=True)
class Credentials:
    """Every login of the demo, in the order in which they are shown."""

    logins: tuple[Login, ...]


def write_credentials(file: Path, credentials: Credentials) -> None:
    """Write the file, readable by its owner only."""
    write_private(file, json.dumps(asdict(credentials), ensure_ascii=False, indent=2) + "\n")


def read_credentials(file: Path) -> Credentials:
    """Read what `write_credentials` wrote; before the first seed there are no logins."""
    if not file.exists():
        return Credentials(logins=())
    content = json.loads(file.read_text(encoding="utf-8"))
    return Credentials(logins=tuple(Login(**login) for login in content["logins"]))
