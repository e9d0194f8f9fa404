"""The services that trust us: list them, look at one, renew its secret, stop it."""

import json

from flask import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.grants import client_registry, client_secrets
from idp.domain.grants.client_console import list_arrivals
from idp.domain.grants.client_secrets import rotate_secret
from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.grants.clients import list_clients, valid_secrets
from idp.domain.staff.roles import Permission
from idp.web.admin.client_desk import find_one, show_secrets
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.render import language, see_other

bp = Blueprint("admin_clients", __name__, url_prefix="/admin")

_MANAGE = Permission.MANAGE_CLIENTS
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
        arrivals = list_arrivals(db)
    rows = [
        {
            "client": each,
            "name": each.name_in(language()),
            "arrived": arrivals[each.client_id],
        }
        for each in found
    ]
    return console("admin/clients.html", "clients", rows=rows)


@bp.get("/clients/<client_id>")
@staff(_MANAGE)
def show(client_id: str) -> Response:
    """Show one service: what it may, its secrets' ends, its document."""
    client, document = find_one(client_id)
    with reading(services().sessions) as db:
        arrived = list_arrivals(db)[client_id]
    secrets = valid_secrets(client, now=services().clock())
    return console(
        "admin/client.html",
        "clients",
        client=client,
        name=client.name_in(language()),
        arrived=arrived,
        secrets=[{"expires_at": each.expires_at} for each in secrets],
        document=json.dumps(document, ensure_ascii=False, indent=2),
    )


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
    return show_secrets((outcome,))


@bp.post("/clients/<client_id>/<any('disable', 'enable', 'end-old-secrets'):act>")
@staff(_MANAGE)
def switch(client_id: str, act: str) -> Response:
    """Stop a service, let it go on, or end its old secrets at once."""
    operation, done = _SWITCHES[act]
    with transaction(services().sessions) as db:
        operation(db, client_id, actor=current_actor(), now=services().clock())
    return see_other(f"/admin/clients/{client_id}?done={done}")
