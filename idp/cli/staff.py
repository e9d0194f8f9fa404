"""`idp staff`: the first administrator, and people of the offices."""

import argparse
import getpass
import sys
from datetime import datetime, timedelta
from typing import Any

import pyotp

from idp.base.clock import utc_now
from idp.base.contact import ContactError, parse_mail_address
from idp.base.dates import TOKYO, parse_date
from idp.base.secret import from_base64url
from idp.cli.context import Context, opened
from idp.cli.failure import CommandError
from idp.domain.people.names import PersonName
from idp.domain.signin.hashing import Hasher
from idp.domain.signin.passwords import PersonWords, check_password
from idp.domain.signin.totp import confirm_totp
from idp.domain.staff.enrolment import AlreadyStaff, EnrolledStaff, NewStaff, enrol_staff
from idp.domain.staff.municipalities import find_municipality
from idp.domain.staff.roles import RoleFault
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.staff import Role
from idp.settings.load import load_settings


def add_commands(rooms: Any) -> None:  # noqa: ANN401 - argparse names no type for it
    """Add `staff add`."""
    staff = rooms.add_parser("staff", help="people of the offices").add_subparsers(required=True)
    add = staff.add_parser("add", help="enrol a person; asks for password and app")
    add.add_argument("email")
    add.add_argument("--family-name", required=True)
    add.add_argument("--given-name", required=True)
    add.add_argument("--role", required=True, choices=[role.value for role in Role])
    add.add_argument("--municipality", help="code; administrators have none")
    add.add_argument("--until", required=True, help="last day of the role (2027-03-31)")
    add.set_defaults(run=_add_staff)


def _add_staff(options: argparse.Namespace) -> None:
    email = _read_address(options.email)
    valid_until = _end_of(options.until)
    name = PersonName(family_name=options.family_name, given_name=options.given_name)
    hashed = _ask_password(options, email)
    with opened(options) as context:
        new = NewStaff(
            name=name,
            email=email,
            role=Role(options.role),
            valid_until=valid_until,
            municipality_id=_find_town(context, options.municipality),
        )
        outcome = enrol_staff(
            context.db, new, hashed, keys=context.keys, actor=COMMAND_LINE, now=context.now
        )
        match outcome:
            case EnrolledStaff():
                _confirm(context, outcome)
            case AlreadyStaff():
                raise CommandError("somebody of the staff has this address already")
            case RoleFault():
                raise CommandError(f"no role: {outcome}")
    print(f"Signs in at {load_settings(options.config).provider.issuer}/staff/login")


def _confirm(context: Context, enrolled: EnrolledStaff) -> None:
    """Show the seed and ask for a code, so that nobody is locked out by a mistyped app."""
    issuer = context.settings.provider.issuer.partition("://")[2]
    uri = pyotp.TOTP(enrolled.totp_seed).provisioning_uri(
        name=enrolled.login_id, issuer_name=issuer
    )
    print(f"Enter this in the authenticator app (or open it as a QR code):\n{uri}")
    typed = _ask("Code of the app: ")
    if not confirm_totp(context.db, enrolled.account_id, typed, keys=context.keys, now=utc_now()):
        raise CommandError("that code is not right; nothing was written, start again")


def _ask_password(options: argparse.Namespace, email: str) -> str:
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else _ask("")
    words = PersonWords(words=(options.family_name, options.given_name, email))
    faults = check_password(password, words)
    if faults:
        raise CommandError(f"the password will not do: {', '.join(faults)}")
    settings = load_settings(options.config)
    return Hasher(pepper=from_base64url(settings.secrets.password_pepper), concurrency=1).hash(
        password
    )


def _ask(prompt: str) -> str:
    if sys.stdin.isatty():
        print(prompt, end="", flush=True)
    return sys.stdin.readline().rstrip("\n")


def _find_town(context: Context, code: str | None) -> Any:  # noqa: ANN401 - an id
    if code is None:
        return None
    found = find_municipality(context.db, code)
    if found is None:
        raise CommandError(f"there is no municipality {code}")
    return found


def _read_address(text: str) -> str:
    try:
        return parse_mail_address(text)
    except ContactError as error:
        raise CommandError(f"the address cannot be used ({error.reason})") from None


def _end_of(text: str) -> datetime:
    """Return the end of a day in Japan."""
    try:
        day = parse_date(text) + timedelta(days=1)
    except ValueError:
        raise CommandError(f"{text} is no date") from None
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO)
