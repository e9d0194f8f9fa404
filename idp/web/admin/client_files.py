"""Registrations as files: take one that was pasted or opened, give one, or all of them."""

import json
from collections.abc import Sequence

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.batch import BatchReader, OutOfTimeError
from idp.db.session import reading, transaction
from idp.domain.grants.client_addresses import gather_new
from idp.domain.grants.client_console import (
    Checked,
    RefusedClientError,
    add_all,
    replace_all,
)
from idp.domain.grants.client_export import export_client
from idp.domain.grants.clients import find_any_client, list_clients
from idp.domain.staff.roles import Permission
from idp.protocol.client_file import MAX_CLIENTS, FileFault, read_file
from idp.protocol.document import MetadataFault
from idp.protocol.registration import MetadataError, Registration, parse_registration
from idp.web.admin.client_desk import address_rules, find_one, say, show_secrets
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.render import FieldError, field_error

bp = Blueprint("admin_client_files", __name__, url_prefix="/admin")

_MANAGE = Permission.MANAGE_CLIENTS
_FIELD = "document"


@bp.get("/client-files")
@staff(_MANAGE)
def ask() -> Response:
    """Offer to take a file, and to give all."""
    return _page({})


@bp.post("/client-files")
@staff(_MANAGE)
def take() -> Response:
    """Register or change what a file says: all of it or nothing."""
    values = {name: request.form.get(name, "") for name in (_FIELD, "replace")}
    if not values[_FIELD].strip():
        return _page(values, [field_error(_FIELD, "admin.files.empty")])
    documents = read_file(values[_FIELD])
    if isinstance(documents, FileFault):
        return _page(values, [field_error(_FIELD, f"admin.fault.{documents}", n=MAX_CLIENTS)])
    checked = _check(documents)
    if not isinstance(checked, tuple):
        return _page(values, checked)
    save = replace_all if values["replace"] else add_all
    try:
        with transaction(services().sessions) as db:
            made = save(
                db,
                checked,
                actor=current_actor(),
                keys=services().keys,
                now=services().clock(),
            )
    except RefusedClientError as error:
        text = say(f"admin.refusal.{error.refusal.value}")
        return _page(values, [_error(documents, error.place, text)])
    return show_secrets(made)


def _check(documents: Sequence[dict[str, object]]) -> tuple[Checked, ...] | list[FieldError]:
    """Read every document; ask addresses only when all of them are sound."""
    found: list[Registration] = []
    errors: list[FieldError] = []
    for place, document in enumerate(documents):
        try:
            found.append(parse_registration(document, rules=address_rules()))
        except MetadataError as error:
            errors += [_fault_error(documents, place, fault) for fault in error.faults]
    return errors or _ask_addresses(documents, found)


def _ask_addresses(
    documents: Sequence[dict[str, object]], found: Sequence[Registration]
) -> tuple[Checked, ...] | list[FieldError]:
    """Ask the addresses that are new or have changed, all within one deadline."""
    with reading(services().sessions) as db:
        known = [each.client_id and find_any_client(db, each.client_id) for each in found]
    reader = BatchReader(services().http)
    checked: list[Checked] = []
    try:
        for each, client in zip(found, known, strict=True):
            checked.append(Checked(each, gather_new(each.metadata, reader, client or None)))
    except OutOfTimeError:
        return [_error(documents, len(checked), say("admin.files.out_of_time"))]
    return tuple(checked)


def _fault_error(
    documents: Sequence[dict[str, object]], place: int, fault: MetadataFault
) -> FieldError:
    text = say(f"admin.fault.{fault.reason}", name=fault.field)
    return _error(documents, place, text)


def _error(documents: Sequence[dict[str, object]], place: int, text: str) -> FieldError:
    """Say which client of the file it is: by its id, or by its place."""
    where = str(documents[place].get("client_id") or place + 1)
    return field_error(_FIELD, "admin.files.fault", where=where, text=text)


def _page(values: dict[str, str], errors: Sequence[FieldError] = ()) -> Response:
    return console(
        "admin/client_files.html",
        "clients",
        422 if errors else 200,
        values=values,
        errors=errors,
    )


@bp.get("/client-files/all")
@staff(_MANAGE)
def give_all() -> Response:
    """Give every service in one file, as the page above takes it."""
    with reading(services().sessions) as db:
        documents = [export_client(db, client) for client in list_clients(db)]
    return _file(documents, "clients.json")


@bp.get("/clients/<client_id>/export")
@staff(_MANAGE)
def give(client_id: str) -> Response:
    """Give one service as a file; never a secret (CA-08)."""
    client, document = find_one(client_id)
    return _file(document, f"{client.client_id}.json")


def _file(content: object, name: str) -> Response:
    # A client_id has letters, digits, ".", "_", "~" and "-" alone: it needs no quoting.
    answer = Response(
        json.dumps(content, ensure_ascii=False, indent=2) + "\n", content_type="application/json"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
