"""What a request needs of its application, and who is asking."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Connection

from flask import current_app, g

from clients.kit.claims import Household, Person
from clients.kit.clock import Clock
from clients.kit.database import Database
from clients.kit.oidc import RelyingParty
from clients.kit.settings import Settings
from clients.kit.texts import Texts
from clients.kit.visits import Visit
from clients.kit.worker import Worker

_EXTENSION = "kosodate_kit"


@dataclass(frozen=True)
class Site:
    """What makes one relying party different from another.

    `greet` runs in the transaction of a sign-in and may name the page to show first.
    """

    name: str
    scopes: tuple[str, ...]
    category: str
    navigation: Mapping[str, str]
    greet: Callable[[Connection, Visit, datetime], str | None]
    clear_own: Callable[[Connection, datetime], None]


@dataclass(frozen=True)
class Kit:
    """Everything that lives as long as the application."""

    site: Site
    settings: Settings
    database: Database
    texts: Texts
    clock: Clock
    relying_party: RelyingParty
    worker: Worker

    @property
    def is_secure(self) -> bool:
        """Tell whether browsers reach us by https."""
        return self.settings.base_url.startswith("https://")


@dataclass(frozen=True)
class Member:
    """Somebody signed in who acts for a household."""

    visit: Visit
    person: Person
    household: Household


def attach_kit(app_extensions: dict[str, object], kit: Kit) -> None:
    """Give an application its kit."""
    app_extensions[_EXTENSION] = kit


def kit() -> Kit:
    """Return the kit of the running application."""
    found: Kit = current_app.extensions[_EXTENSION]
    return found


def remember_visit(visit: Visit | None) -> None:
    """Keep the visit for the rest of the request, error pages included."""
    g.visit = visit


def visit_of_request() -> Visit | None:
    """Return the visit the guard found, if a guard has looked for one."""
    found: Visit | None = g.get("visit")
    return found
