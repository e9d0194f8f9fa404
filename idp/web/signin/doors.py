"""The two doors as pages: the same steps, other addresses and templates (A08)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import ceil

from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.domain.signin.completion import SignedInWhole
from idp.domain.signin.devices import COOKIE_LIFETIME
from idp.domain.signin.interactions import Purposes, Walk
from idp.web.browser_state import show_state
from idp.web.deps import put_cookie, services
from idp.web.render import page
from idp.web.signin.onward import Way, go
from idp.web.signin.walks import (
    FAMILY_PURPOSES,
    STAFF_PURPOSES,
    continue_flow,
    return_path,
    walk_query,
)


class Entrance(Enum):
    """Whom a page lets in."""

    FAMILY = "family"
    STAFF = "staff"


@dataclass(frozen=True)
class DoorPages:
    """Addresses and templates of one door, and its error texts."""

    entrance: Entrance
    purposes: Purposes
    login_path: str
    home_path: str
    folder: str
    #: Where the texts of errors begin, whole, so that the keys can be found in the source.
    login_errors: str
    code_errors: str

    @property
    def code_path(self) -> str:
        """The address of the second step."""
        return f"{self.login_path}/code"

    def login_error(self, name: str) -> str:
        """Return the key of what went wrong at the first step."""
        return f"{self.login_errors}.{name}"

    def code_error(self, name: str) -> str:
        """Return the key of what went wrong at the second step."""
        return f"{self.code_errors}.{name}"

    def login_address(self) -> str:
        """Return the address of the first step that keeps where the person wanted to go."""
        wanted = return_path()
        return with_query(self.login_path, {"next": wanted} if wanted else {})


FAMILY_DOOR = DoorPages(
    entrance=Entrance.FAMILY,
    purposes=FAMILY_PURPOSES,
    login_path="/login",
    home_path="/",
    folder="signin",
    login_errors="signin.login.error",
    code_errors="signin.code.error",
)
STAFF_DOOR = DoorPages(
    entrance=Entrance.STAFF,
    purposes=STAFF_PURPOSES,
    login_path="/staff/login",
    home_path="/staff/",
    folder="staff",
    login_errors="staff_door.login.error",
    code_errors="staff_door.code.error",
)


def door_page(
    pages: DoorPages, name: str, walk: Walk | None, status: int = 200, **facts: object
) -> Response:
    """Render a page of this door; its forms stay in their walk."""
    return page(
        f"{pages.folder}/{name}.html",
        status,
        door=pages.entrance.value,
        walk_query=walk_query(walk),
        **facts,
    )


def wait_page(pages: DoorPages, name: str, walk: Walk | None, *, until: datetime) -> Response:
    """Say until when nothing is taken: 429 with Retry-After."""
    seconds = max(1, ceil((until - services().clock()).total_seconds()))
    response = door_page(pages, name, walk, 429, until=until)
    response.headers["Retry-After"] = str(seconds)
    return response


def enter(signed_in: SignedInWhole, walk: Walk, way: Way | None) -> Response:
    """Give the browser its new session, and go where the walk goes now (SE-01, BR-07)."""
    kept = signed_in.cookie_lifetime
    put_cookie(
        "session",
        signed_in.token,
        max_age_seconds=None if kept is None else int(kept.total_seconds()),
    )
    if signed_in.device_token is not None:
        lifetime = int(COOKIE_LIFETIME.total_seconds())
        put_cookie("device", signed_in.device_token, max_age_seconds=lifetime)
    if way is None:
        return continue_flow(walk.id)
    show_state(way.person, now=services().clock())
    return go(way)
