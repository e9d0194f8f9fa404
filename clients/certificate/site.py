"""The certificate application: its site and its factory."""

from datetime import datetime
from pathlib import Path
from sqlite3 import Connection

from flask import Flask

from clients.certificate import pages
from clients.certificate.certificates import forget_old_certificates, unread_certificates
from clients.certificate.issuing import meet_household
from clients.certificate.unread import forget_put_off, report_unread, report_what_ran_out
from clients.kit.app import build_app
from clients.kit.clock import Clock, tokyo_day, utc_now
from clients.kit.context import Site
from clients.kit.settings import Settings, load, refuse_unknown
from clients.kit.visits import Visit

FOLDER = Path(__file__).parent
DEFAULT_PORT = 8002

_SCOPES = ("openid", "profile", "household", "children", "delegation")
_NAVIGATION = {"certificates.show_certificates": "nav.certificates"}


def load_settings(config: Path) -> Settings:
    """Read the settings file.

    Raises:
        SettingsError: what is wrong and what to write instead.
    """
    settings, section = load(config, section="certificate")
    refuse_unknown(section, where="[certificate]")
    return settings


def create_app(settings: Settings, *, clock: Clock = utc_now) -> Flask:
    """Build the application; its worker is not started yet."""
    site = Site(
        name="certificate",
        scopes=_SCOPES,
        category="certificate",
        navigation=_NAVIGATION,
        greet=_greet,
        clear_own=_clear,
    )
    return build_app(site, settings, FOLDER, (pages.bp,), clock=clock)


def create_app_from(config: Path) -> Flask:
    """Build the application from its settings file."""
    return create_app(load_settings(config))


def _greet(db: Connection, visit: Visit, now: datetime) -> str | None:
    """Issue what is missing; show the list first while something is unread (A31)."""
    person = visit.person
    if person is None or person.household is None:
        return None
    meet_household(db, person.household.id, person.children, now=now)
    report_unread(db, person.household.id, now=now)
    unread = unread_certificates(db, person.household.id, today=tokyo_day(now))
    return "/" if unread else None


def _clear(db: Connection, now: datetime) -> None:
    report_what_ran_out(db, now=now)
    forget_old_certificates(db, now=now)
    forget_put_off(db)
