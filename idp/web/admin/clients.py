"""The services that trust us: register, look, change, renew a secret, stop (administrators)."""

import json

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.grants import client_registry, client_secrets
from idp.domain.grants.client_export import export_client
from idp.domain.grants.client_registry import import_client, register_client
from idp.domain.grants.client_secrets import rotate_secret
from idp.domain.grants.client_writing import RegisteredClientWithSecret, RegistrationRefusal
from idp.domain.grants.clients import find_any_client, list_clients, valid_secrets
from idp.domain.staff.roles import Permission
from idp.protocol.addresses import AddressRules
from idp.protocol.client import AuthMethod, RegisteredClient
from idp.protocol.client_form import field_of, read_form, write_form
from idp.protocol.document import MetadataFault
from idp.protocol.registration import MetadataError, Registration, parse_registration
from idp.protocol.scope import SUPPORTED
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.render import FieldError, field_error, language, see_other

bp = Blueprint("admin_clients", __name__, url_prefix="/admin")

_MANAGE = Permission.MANAGE_CLIENTS
_SCOPES = SUPPORTED[1:]
#: Where a refusal belongs on the form.
_FIELDS = {
    RegistrationRefusal.CLIENT_ID_TAKEN: "client_id",
    RegistrationRefusal.MUNICIPALITY_UNKNOWN: "municipality",
    RegistrationRefusal.SECTOR_NEEDED: "municipality",
}
_SWITCHES = {
    "disable": (client_registry.disable_client, "disabled"),
    "enable": (client_registry.enable_client, "enabled"),
    "end-old-secrets": (client_secrets.end_old_secrets, "secrets_ended"),
}


@bp.get("/")
@staff(_MANAGE)
def start() -> Response:
    """Go to the first page of the console."""
    return see_other("/admin/clients")


@bp.get("/clients")
@staff(_MANAGE)
def show_all() -> Response:
    """List every service, disabled ones too."""
    with reading(services().sessions) as db:
        found = list_clients(db)
    rows = [{"client": each, "name": each.name_in(language())} for each in found]
    return console("admin/clients.html", "clients", rows=rows)


@bp.get("/clients/new")
@staff(_MANAGE)
def ask_new() -> Response:
    """Show the empty form."""
    return _form(None, {"auth_method": AuthMethod.BASIC.value, "application_type": "web"}, ())


@bp.post("/clients/new")
@staff(_MANAGE)
def register() -> Response:
    """Register a service and show its secret, this once."""
    parsed = _parse({})
    if not isinstance(parsed, Registration):
        return _form(None, request.form, _scopes(), parsed)
    with transaction(services().sessions) as db:
        outcome = register_client(
            db, parsed, actor=current_actor(), keys=services().keys, now=services().clock()
        )
    if isinstance(outcome, RegistrationRefusal):
        return _form(None, request.form, _scopes(), [_refusal_error(outcome)])
    return _show_secret(outcome)


@bp.get("/clients/<client_id>")
@staff(_MANAGE)
def show(client_id: str) -> Response:
    """Show one service: what it may, its secrets' ends, its document."""
    client, document = _find(client_id)
    secrets = valid_secrets(client, now=services().clock())
    return console(
        "admin/client.html",
        "clients",
        client=client,
        name=client.name_in(language()),
        secrets=[{"expires_at": each.expires_at} for each in secrets],
        document=json.dumps(document, ensure_ascii=False, indent=2),
    )


@bp.get("/clients/<client_id>/edit")
@staff(_MANAGE)
def ask_change(client_id: str) -> Response:
    """Show the form with what is registered."""
    client, document = _find(client_id)
    return _form(client, write_form(document), tuple(client.scopes))


@bp.post("/clients/<client_id>/edit")
@staff(_MANAGE)
def change(client_id: str) -> Response:
    """Write what was changed; what the form does not show stays.

    A service that has changed to a method its secrets do not serve gets a new one.
    """
    client, document = _find(client_id)
    parsed = _parse(document)
    if not isinstance(parsed, Registration):
        return _form(client, request.form, _scopes(), parsed)
    with transaction(services().sessions) as db:
        outcome = import_client(
            db, parsed, actor=current_actor(), keys=services().keys, now=services().clock()
        )
    if isinstance(outcome, RegistrationRefusal):
        return _form(client, request.form, _scopes(), [_refusal_error(outcome)])
    return _show_secret(outcome)


@bp.post("/clients/<client_id>/secret")
@staff(_MANAGE)
def renew_secret(client_id: str) -> Response:
    """Make a new secret and show it, this once; the one before works on for a week."""
    with transaction(services().sessions) as db:
        outcome = rotate_secret(
            db,
            client_id,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
        )
    if isinstance(outcome, RegistrationRefusal):
        raise NotFound
    return _show_secret(outcome)


@bp.post("/clients/<client_id>/<any('disable', 'enable', 'end-old-secrets'):act>")
@staff(_MANAGE)
def switch(client_id: str, act: str) -> Response:
    """Stop a service, let it go on, or end its old secrets at once."""
    operation, done = _SWITCHES[act]
    with transaction(services().sessions) as db:
        operation(db, client_id, actor=current_actor(), now=services().clock())
    return see_other(f"/admin/clients/{client_id}?done={done}")


def _find(client_id: str) -> tuple[RegisteredClient, dict[str, object]]:
    with reading(services().sessions) as db:
        client = find_any_client(db, client_id)
        if client is None:
            raise NotFound
        return client, export_client(db, client)


def _scopes() -> tuple[str, ...]:
    return tuple(name for name in _SCOPES if name in request.form.getlist("scope"))


def _parse(known: dict[str, object]) -> Registration | list[FieldError]:
    """Read the form; a service that exists keeps its id."""
    document = read_form(request.form, _scopes(), known=known)
    if "client_id" in known:
        document["client_id"] = known["client_id"]
    rules = AddressRules(allow_loopback_http=services().settings.dev.allow_http)
    try:
        return parse_registration(document, rules=rules)
    except MetadataError as error:
        return [
            field_error(field_of(fault), f"admin.fault.{fault.reason}", name=_label(fault))
            for fault in error.faults
        ]


def _label(fault: MetadataFault) -> str:
    """Return the words of the form for a faulty member, with its line where it has several."""
    field = field_of(fault)
    if not field:
        return fault.field
    label = services().texts.get(language(), f"admin.field.{field}")
    place = fault.field.partition("[")[2].rstrip("]")
    return f"{label} {int(place) + 1}" if place else label


def _refusal_error(refusal: RegistrationRefusal) -> FieldError:
    return field_error(_FIELDS.get(refusal, ""), f"admin.refusal.{refusal.value}")


def _form(
    client: RegisteredClient | None,
    values: dict[str, str],
    scopes: tuple[str, ...],
    errors: list[FieldError] | None = None,
) -> Response:
    return console(
        "admin/client_form.html",
        "clients",
        422 if errors else 200,
        client=client,
        values=values,
        chosen=frozenset(scopes),
        scopes=_SCOPES,
        methods=[method.value for method in AuthMethod],
        errors=errors or [],
    )


def _show_secret(outcome: RegisteredClientWithSecret) -> Response:
    """Show the secret in the answer itself: no address leads to it again (CA-08)."""
    client = outcome.client
    if outcome.secret is None:
        return see_other(f"/admin/clients/{client.client_id}?done=saved")
    return console(
        "admin/client_secret.html",
        "clients",
        client=client,
        name=client.name_in(language()),
        secret=outcome.secret,
    )
