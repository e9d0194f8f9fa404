"""The form of a service: register one, change one; it shows every member of the document."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.grants.client_addresses import gather
from idp.domain.grants.client_console import Checked, RefusedClientError, save_changes
from idp.domain.grants.client_export import changed_members
from idp.domain.grants.client_registry import register_client
from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.staff.roles import Permission
from idp.protocol.client import RegisteredClient
from idp.protocol.client_fields import COMMON, FIELDS, Field, Group
from idp.protocol.client_form import field_of, is_unusual, read_form, read_posted, write_form
from idp.protocol.document import MetadataFault
from idp.protocol.registration import MetadataError, parse_registration
from idp.web.admin.client_desk import (
    address_rules,
    fault_errors,
    find_one,
    label_of,
    refusal_error,
    show_secrets,
)
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.render import FieldError, language

bp = Blueprint("admin_client_edit", __name__, url_prefix="/admin")

_MANAGE = Permission.MANAGE_CLIENTS


@dataclass(frozen=True)
class Option:
    """One answer of a field: its value, and the key of its words if it has any."""

    value: str
    label_key: str | None


@dataclass(frozen=True)
class ShownField:
    """A field with its answers."""

    field: Field
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Part:
    """A part of the form; a rare one opens by itself when something stands in it."""

    group: Group
    is_common: bool
    is_open: bool
    fields: tuple[ShownField, ...]


@bp.get("/clients/new")
@staff(_MANAGE)
def ask_new() -> Response:
    """Show the empty form."""
    return _form(None, write_form({}))


@bp.post("/clients/new")
@staff(_MANAGE)
def register() -> Response:
    """Register a service and show its secret, this once."""
    values = read_posted(request.form)
    checked = _check(values, {}, None)
    if not isinstance(checked, Checked):
        return _form(None, values, checked)
    with transaction(services().sessions) as db:
        outcome = register_client(
            db,
            checked.registration,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
            gathered=checked.gathered,
        )
    if isinstance(outcome, RegistrationRefusal):
        return _form(None, values, [refusal_error(outcome, values)])
    return show_secrets((outcome,))


@bp.get("/clients/<client_id>/edit")
@staff(_MANAGE)
def ask_change(client_id: str) -> Response:
    """Show the form with what is registered."""
    client, document = find_one(client_id)
    return _form(client, write_form(document))


@bp.post("/clients/<client_id>/edit")
@staff(_MANAGE)
def change(client_id: str) -> Response:
    """Write what was changed, if nobody else has changed it since the form was shown.

    A service that has changed to a method its secrets do not serve gets a new one.
    """
    client, document = find_one(client_id)
    values = read_posted(request.form)
    checked = _check(values, document, client)
    if not isinstance(checked, Checked):
        return _form(client, values, checked)
    try:
        with transaction(services().sessions) as db:
            outcome = save_changes(
                db,
                checked,
                _seen_version(),
                actor=current_actor(),
                keys=services().keys,
                now=services().clock(),
            )
    except RefusedClientError as error:
        return _refuse(client_id, values, error.refusal)
    return show_secrets((outcome,))


def _seen_version() -> int:
    """Return the version that the form showed; none is one that never was."""
    typed = request.form.get("version", "")
    return int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else 0


def _check(
    values: Mapping[str, str], registered: Mapping[str, object], known: RegisteredClient | None
) -> Checked | list[FieldError]:
    """Read the form and ask the addresses in it, before any transaction."""
    document = read_form(values, known=registered)
    try:
        registration = parse_registration(document, rules=address_rules())
    except MetadataError as error:
        return fault_errors(error.faults, values)
    return Checked(registration, gather(registration.metadata, services().http, known))


def _refuse(client_id: str, values: dict[str, str], refusal: RegistrationRefusal) -> Response:
    """Show the form as it was typed.

    Whoever was slower hears which fields say something else than is registered by now; what
    she saves then is saved over it.
    """
    client, document = find_one(client_id)
    differing: list[str] = []
    version = _seen_version()
    if refusal is RegistrationRefusal.CHANGED_MEANWHILE:
        members = changed_members(document, read_form(values, known=document))
        differing = [label_of(MetadataFault(member, "")) for member in members if _is_shown(member)]
        version = client.version
    return _form(client, values, [refusal_error(refusal, values)], version, differing)


def _is_shown(member: str) -> bool:
    return field_of(MetadataFault(member, "")) != ""


def _form(
    client: RegisteredClient | None,
    values: Mapping[str, str],
    errors: Sequence[FieldError] = (),
    version: int | None = None,
    differing: Sequence[str] = (),
) -> Response:
    shown = request.form.get("version") if version is None else version
    return console(
        "admin/client_form.html",
        "clients",
        422 if errors else 200,
        client=client,
        version=shown or (client.version if client else ""),
        values=values,
        parts_of_form=arrange(
            values, errors, is_new=client is None, known_keys=services().texts.keys("ja")
        ),
        errors=errors,
        differing="、".join(differing) if language().startswith("ja") else ", ".join(differing),
    )


def arrange(
    values: Mapping[str, str],
    errors: Sequence[FieldError],
    *,
    is_new: bool,
    known_keys: Collection[str],
) -> tuple[Part, ...]:
    """Return the parts of the form in their order; answers without words show their value."""
    wrong = {error.field for error in errors}
    return tuple(
        Part(
            group,
            is_common=group in COMMON,
            is_open=is_unusual(group, values) or any(field.name in wrong for field in fields),
            fields=tuple(ShownField(field, _options(field, known_keys)) for field in fields),
        )
        for group in Group
        if (fields := _fields_of(group, is_new=is_new))
    )


def _fields_of(group: Group, *, is_new: bool) -> tuple[Field, ...]:
    return tuple(
        field for field in FIELDS if field.group is group and (is_new or not field.only_new)
    )


def _options(field: Field, known: Collection[str]) -> tuple[Option, ...]:
    keys = {
        value: f"admin.option.{field.name}.{re.sub('[^a-z0-9]+', '_', value.lower()).strip('_')}"
        for value in field.options
    }
    return tuple(Option(value, key if key in known else None) for value, key in keys.items())
