"""What the demo prints once it is ready: what to open, as whom, and what to try first."""

from collections.abc import Iterator, Sequence
from unicodedata import east_asian_width

from idp.demo.credentials import Credentials, Login
from idp.demo.folder import DataFolder
from idp.demo.ports import DEFAULT_BASE, LOOPBACK, Ports


def build_screen(ports: Ports, credentials: Credentials, folder: DataFolder) -> str:
    """Return the whole text, at most about 100 columns wide."""
    lines = [
        "",
        "Kosodate ID is running. Everything stays on this computer; Ctrl-C stops it.",
        "",
        *_table(("OPEN", "WHAT IT IS"), _addresses(ports)),
        "",
        *_table(("WHO", "SIGN-IN ID", "PASSWORD", "NOTE"), map(_login_row, credentials.logins)),
        "",
        *_first_steps(ports, credentials),
        "",
        f"Data and logs: {folder.root}   Start anew: {_reset_command(ports)}",
        "",
    ]
    return "\n".join(lines)


def _reset_command(ports: Ports) -> str:
    # With the usual ports it would start beside what holds them.
    other = "" if ports.provider == DEFAULT_BASE else f" PORT_BASE={ports.provider}"
    return f"make demo-reset{other}"


def _addresses(ports: Ports) -> Iterator[tuple[str, str]]:
    yield _url(ports.provider, "/"), "sign-in of families, and their home page"
    yield _url(ports.booking, "/"), "booking: an hour of care (relying party)"
    yield _url(ports.certificate, "/"), "certificates of the household (relying party)"
    yield _url(ports.mailbox, "/"), "mailbox: every mail, and the codes of staff and administrator"
    yield _url(ports.provider, "/staff/login"), "municipal staff"
    yield _url(ports.provider, "/admin/"), "administrator"


def _login_row(login: Login) -> tuple[str, str, str, str]:
    return login.name, login.login_id, login.password or "-", login.note


def _first_steps(ports: Ports, credentials: Credentials) -> Iterator[str]:
    waiting = next((login for login in credentials.logins if login.application_number), None)
    if waiting is None:
        return
    yield "TRY FIRST: the account of a guardian that was just issued"
    yield f"  1. Open the mailbox, {_url(ports.mailbox, '/')} , and read the mail to"
    yield f"     {waiting.login_id} ; its link leads to the page that asks for a password link."
    yield f"     Asked for the application number (受付番号), type {waiting.application_number} ."
    yield f"  2. Open booking, {_url(ports.booking, '/')} , sign in with the new password and the"
    yield "     one-time code from the mailbox, agree to the terms, and book an hour."
    yield f"  3. Open the certificates, {_url(ports.certificate, '/')} : no second sign-in."


def _url(port: int, path: str) -> str:
    return f"http://{LOOPBACK}:{port}{path}"


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    table = [tuple(head), *rows]
    widths = [max(_width(cell) for cell in column) for column in zip(*table, strict=True)]
    for row in table:
        padded = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        yield ("  " + "  ".join(padded)).rstrip()


def _width(text: str) -> int:
    """Return the columns a terminal needs: two for each full-width character."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
