"""Initial access tokens: with which services register themselves (RFC 7591, administrators)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.text import has_control
from idp.db.session import reading, transaction
from idp.domain.grants.initial_access_tokens import (
    MAX_DAYS,
    MAX_USES,
    TokenOrder,
    TokenRefusal,
    create_initial_token,
    list_initial_tokens,
    revoke_initial_token,
)
from idp.domain.staff.roles import Permission
from idp.protocol.client_form import narrow
from idp.protocol.scope import OPENID, SUPPORTED
from idp.protocol.self_registration import USUAL_SCOPES
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.render import FieldError, field_error, see_other

bp = Blueprint("admin_registration_tokens", __name__, url_prefix="/admin/registration-tokens")

_MANAGE = Permission.MANAGE_CLIENTS
_SCOPES = SUPPORTED[1:]
_MAX_LABEL = 100
_NEW: Mapping[str, str] = {
    "label": "",
    "days": "7",
    "uses": "1",
    "municipality": "",
    "scope": " ".join(name for name in _SCOPES if name in USUAL_SCOPES),
    "legacy": "",
}


@bp.get("")
@staff(_MANAGE)
def show() -> Response:
    """List the tokens, and offer to make one."""
    return _page(_NEW)


def _page(values: Mapping[str, str], errors: Sequence[FieldError] = ()) -> Response:
    now = services().clock()
    with reading(services().sessions) as db:
        found = list_initial_tokens(db)
    return console(
        "admin/registration_tokens.html",
        "tokens",
        422 if errors else 200,
        tokens=[{"token": each, "usable": each.is_usable(now=now)} for each in found],
        is_open=services().settings.registration.mode != "closed",
        values=values,
        errors=errors,
        scopes=_SCOPES,
        max_days=MAX_DAYS,
        max_uses=MAX_USES,
    )


@bp.post("")
@staff(_MANAGE)
def make() -> Response:
    """Make a token and show it in the answer itself, this once."""
    values = {name: request.form.get(name, "") for name in _NEW}
    values["scope"] = " ".join(name for name in _SCOPES if name in request.form.getlist("scope"))
    errors = _find_errors(values)
    if errors:
        return _page(values, errors)
    now = services().clock()
    order = TokenOrder(
        label=values["label"].strip(),
        scopes=frozenset((OPENID, *values["scope"].split())),
        expires_at=now + timedelta(days=int(narrow(values["days"]))),
        uses=int(narrow(values["uses"])),
        municipality_code=narrow(values["municipality"]) or None,
        is_legacy=values["legacy"] != "",
    )
    with transaction(services().sessions) as db:
        outcome = create_initial_token(db, order, actor=current_actor(), now=now)
    if isinstance(outcome, TokenRefusal):
        return _page(values, [field_error("municipality", f"admin.refusal.{outcome.value}")])
    return console(
        "admin/registration_token.html", "tokens", label=order.label, token=outcome.token
    )


def _find_errors(values: Mapping[str, str]) -> list[FieldError]:
    errors = []
    label = values["label"].strip()
    if not label or has_control(label) or len(label) > _MAX_LABEL:
        errors.append(field_error("label", "admin.tokens.wrong.label", n=_MAX_LABEL))
    for name, limit in (("days", MAX_DAYS), ("uses", MAX_USES)):
        typed = narrow(values[name])
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10) or not (
            1 <= int(typed) <= limit
        ):
            errors.append(field_error(name, f"admin.tokens.wrong.{name}", n=limit))
    return errors


@bp.post("/<uuid:row_id>/revoke")
@staff(_MANAGE)
def revoke(row_id: UUID) -> Response:
    """End a token; services that came with it stay."""
    with transaction(services().sessions) as db:
        is_ended = revoke_initial_token(db, row_id, actor=current_actor(), now=services().clock())
    done = "token_revoked" if is_ended else "token_over"
    return see_other(f"/admin/registration-tokens?done={done}")
