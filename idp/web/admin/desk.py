"""What every page of the administrators' console needs: navigation and messages."""

from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from idp.domain.staff.roles import Permission
from idp.web.deps import require_staff
from idp.web.render import page

#: Navigation: key, address, what one must be allowed to see it.
_PLACES = (
    ("clients", "/admin/clients", Permission.MANAGE_CLIENTS),
    ("tokens", "/admin/registration-tokens", Permission.MANAGE_CLIENTS),
    ("deliveries", "/admin/deliveries", Permission.MANAGE_CLIENTS),
    ("keys", "/admin/keys", Permission.MANAGE_KEYS),
    ("maintenance", "/admin/maintenance", Permission.PLAN_MAINTENANCE),
)
#: What a page may say was done, from its address: a closed set.
_DONE = frozenset(
    {
        "saved",
        "token_revoked",
        "token_over",
        "disabled",
        "enabled",
        "secrets_ended",
        "published",
        "activated",
        "too_early",
        "nothing",
        "tried",
        "not_tried",
        "planned",
        "called_off",
        "not_there",
    }
)


@dataclass(frozen=True)
class NavItem:
    """One place of the navigation."""

    key: str
    href: str
    current: bool

    @property
    def label_key(self) -> str:
        """The text key of its name."""
        return f"admin.nav.{self.key}"


def console(template: str, place: str, status: int = 200, **facts: object) -> Response:
    """Render a page of the console."""
    permissions = require_staff().permissions
    nav = [
        NavItem(key, href, key == place) for key, href, needed in _PLACES if needed in permissions
    ]
    wanted = request.args.get("done", "")
    return page(
        template, status, door="admin", nav=nav, done=wanted if wanted in _DONE else None, **facts
    )
