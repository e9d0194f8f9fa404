"""Maintenance: see what is planned, plan it, call it off (administrators, B43)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.dates import parse_moment
from idp.db.session import reading, transaction
from idp.domain.staff.roles import Permission
from idp.domain.upkeep.maintenance import (
    ANNOUNCED_BEFORE,
    LONGEST_NOTE,
    MaintenanceFault,
    Plan,
    end_maintenance,
    list_windows,
    plan_maintenance,
)
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.render import FieldError, field_error, see_other

bp = Blueprint("admin_maintenance", __name__, url_prefix="/admin/maintenance")

Value = TypeVar("Value")

_MOST_DAYS = 60
_FIELD_OF = {
    MaintenanceFault.ORDER: "ends_at",
    MaintenanceFault.OVER: "ends_at",
    MaintenanceFault.TOO_LONG: "ends_at",
    MaintenanceFault.NOTE: "note_ja",
}


@bp.get("")
@staff(Permission.PLAN_MAINTENANCE)
def show() -> Response:
    """List what is planned, and offer to plan."""
    return _page()


def _page(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    with reading(services().sessions) as db:
        windows = list_windows(db, now=services().clock())
    values = {"announce_days": str(ANNOUNCED_BEFORE.days), **request.form}
    return console(
        "admin/maintenance.html",
        "maintenance",
        status,
        windows=windows,
        values=values,
        errors=errors,
        longest_note=LONGEST_NOTE,
    )


@bp.post("")
@staff(Permission.PLAN_MAINTENANCE)
def submit() -> Response:
    """Plan it, or say which field is wrong."""
    starts_at = _read("starts_at", parse_moment)
    ends_at = _read("ends_at", parse_moment)
    days = _read("announce_days", _parse_days)
    wrong = [each for each in (starts_at, ends_at, days) if isinstance(each, FieldError)]
    if wrong or not isinstance(starts_at, datetime) or not isinstance(ends_at, datetime):
        return _page(422, tuple(wrong))
    assert isinstance(days, int)
    plan = Plan(
        starts_at,
        ends_at,
        starts_at - timedelta(days=days),
        note_ja=request.form.get("note_ja", "").strip() or None,
        note_en=request.form.get("note_en", "").strip() or None,
    )
    with transaction(services().sessions) as db:
        outcome = plan_maintenance(db, plan, actor=current_actor(), now=services().clock())
    if isinstance(outcome, MaintenanceFault):
        key = f"admin.maintenance.fault.{outcome.value}"
        return _page(422, (field_error(_FIELD_OF[outcome], key),))
    return see_other("/admin/maintenance?done=planned")


def _read(name: str, parse: Callable[[str], Value]) -> Value | FieldError:
    try:
        return parse(request.form.get(name, ""))
    except ValueError:
        return field_error(name, f"admin.maintenance.wrong.{name}")


def _parse_days(text: str) -> int:
    days = int(text)
    if not 0 <= days <= _MOST_DAYS:
        raise ValueError("out of range")
    return days


@bp.post("/<uuid:row_id>/end")
@staff(Permission.PLAN_MAINTENANCE)
def submit_end(row_id: UUID) -> Response:
    """Call a plan off."""
    with transaction(services().sessions) as db:
        is_ended = end_maintenance(db, row_id, actor=current_actor(), now=services().clock())
    return see_other(f"/admin/maintenance?done={'called_off' if is_ended else 'not_there'}")
