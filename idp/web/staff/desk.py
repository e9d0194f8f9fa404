"""What every page of the staff console needs: the desk, the post, the navigation."""

import functools
import re
from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from idp.domain.staff.desk import Desk, Post
from idp.domain.staff.fields import Fault
from idp.domain.staff.roles import Permission, StaffMember
from idp.web.deps import current_actor, require_staff, services
from idp.web.render import FieldError, field_error, language, page

#: Navigation: key, address, what one must be allowed to see it.
_PLACES = (
    ("search", "/staff/", Permission.VIEW_PEOPLE),
    ("register", "/staff/register", Permission.ISSUE),
    ("mail", "/staff/mail", Permission.VIEW_MAIL),
    ("audit", "/staff/audit", Permission.VIEW_AUDIT),
)
#: What a page may say was done, from its address: a closed set.
_DONE = frozenset(
    {
        "registered",
        "registered_no_mail",
        "drafted",
        "known",
        "issued_mailed",
        "issued_without_mail",
        "sent_again",
        "address",
        "suspend",
        "resume",
        "close",
        "unlock",
        "recovered",
        "protected",
        "lift_asked",
        "lifted",
        "kept",
        "proxy_added",
        "proxy_removed",
        "child_added",
    }
)

#: Fields of a row: `child2_name`, `proxy1_email`.
_ROW = re.compile(r"(child|proxy)([0-9]+)_")
#: Fields whose label stands elsewhere.
_LABELS = {
    "name": "staff.field.child_name",
    "name_kana": "staff.field.child_kana",
    "facts": "staff.recover.facts",
    "document": "staff.recover.document",
    "q": "staff.search.query",
}


@dataclass(frozen=True)
class NavItem:
    """One place of the navigation."""

    key: str
    href: str
    current: bool

    @property
    def label_key(self) -> str:
        """The text key of its name."""
        return f"staff.nav.{self.key}"


def my_desk() -> Desk:
    """Return the desk of whoever is signed in: her municipality, from the session only."""
    return Desk(municipality_id=require_staff().home, actor=current_actor())


def my_post() -> Post:
    """Return what mails to families need; the address comes from the settings, never Host."""
    issuer = services().settings.provider.issuer
    return Post(keys=services().keys, reset_page_url=f"{issuer}/password/reset")


def console(template: str, place: str, status: int = 200, **facts: object) -> Response:
    """Render a page of the console."""
    permissions = require_staff().permissions
    nav = [
        NavItem(key, href, key == place) for key, href, needed in _PLACES if needed in permissions
    ]
    return page(
        template,
        status,
        door="staff",
        nav=nav,
        may=frozenset(permission.value for permission in permissions),
        done=_done(),
        **facts,
    )


def _done() -> str | None:
    wanted = request.args.get("done", "")
    return wanted if wanted in _DONE else None


def fault_errors(faults: tuple[Fault, ...]) -> list[FieldError]:
    """Return the messages of what is wrong with typed fields."""
    return [fault_error(fault.field, fault.reason) for fault in faults]


def fault_error(field: str, reason: str) -> FieldError:
    """Return the message of what is wrong with a field, which it names.

    In a long form the summary would say "please fill this in" five times otherwise.
    """
    return field_error(field, f"staff.fault.{reason}", label=_label(field))


def _label(field: str) -> str:
    row = _ROW.match(field)
    name = field[row.end() :] if row else field
    say = functools.partial(services().texts.get, language())
    label = say(_LABELS.get(name, f"staff.field.{name}")) if name else ""
    return say(f"staff.row.{row[1]}", number=row[2], label=label) if row else label


def start_of(member: StaffMember) -> str:
    """Return the first page this member of staff may see."""
    for _key, href, needed in _PLACES:
        if needed in member.permissions:
            return href
    return "/admin/clients"
