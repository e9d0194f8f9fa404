"""The booking application: its site, its rules, its factory."""

from datetime import datetime
from functools import partial
from pathlib import Path
from sqlite3 import Connection

from flask import Flask

from clients.booking import pages_bookings, pages_children, pages_choose
from clients.booking.asking import attach_rules
from clients.booking.children import remember_children
from clients.booking.facilities import seed_facilities
from clients.booking.history import forget_old_bookings
from clients.booking.rules import Rules, read_rules
from clients.kit.app import build_app
from clients.kit.clock import Clock, utc_now
from clients.kit.context import Site, kit
from clients.kit.settings import Settings, load
from clients.kit.visits import Visit

FOLDER = Path(__file__).parent
DEFAULT_PORT = 8001

_BLUEPRINTS = (pages_choose.bp, pages_bookings.bp, pages_children.bp)
_SCOPES = ("openid", "profile", "household", "children", "delegation")
_NAVIGATION = {
    "choose.show_facilities": "nav.book",
    "bookings.show_bookings": "nav.bookings",
    "children.show_children": "nav.children",
}


def load_settings(config: Path) -> tuple[Settings, Rules]:
    """Read the settings file.

    Raises:
        SettingsError: what is wrong and what to write instead.
    """
    settings, section = load(config, section="booking")
    return settings, read_rules(section)


def create_app(settings: Settings, rules: Rules, *, clock: Clock = utc_now) -> Flask:
    """Build the application; its worker is not started yet."""
    site = Site(
        name="booking",
        scopes=_SCOPES,
        category="booking",
        navigation=_NAVIGATION,
        greet=_greet,
        clear_own=partial(_tidy, rules),
    )
    app = build_app(site, settings, FOLDER, _BLUEPRINTS, clock=clock)
    attach_rules(app, rules)
    with app.app_context():
        kit().worker.clear_away()  # so that a trial's facilities are there from the first page
    return app


def create_app_from(config: Path) -> Flask:
    """Build the application from its settings file."""
    settings, rules = load_settings(config)
    return create_app(settings, rules)


def _greet(db: Connection, visit: Visit, now: datetime) -> str | None:
    """Note the children as the provider describes them at this sign-in."""
    if visit.person is not None:
        remember_children(db, visit.person, now=now)
    return None


def _tidy(rules: Rules, db: Connection, now: datetime) -> None:
    """Clear away what is old; open a trial's facilities for another day."""
    forget_old_bookings(db, now=now)
    if rules.fictional_weeks:
        seed_facilities(db, weeks=rules.fictional_weeks, now=now)
