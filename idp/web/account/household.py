"""The household page: members, children, the end of a proxy (A34, A37, A42)."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.access.proxies import ProxyCase, Removal, leave_household, remove_proxy_alone
from idp.domain.people.own_households import OwnHousehold, list_own_households
from idp.web.account.entry import ask_for_agreement
from idp.web.deps import current_actor, require_person, services
from idp.web.guards import signed_in
from idp.web.render import page, see_other

bp = Blueprint("account_household", __name__, url_prefix="/account/household")
bp.before_request(ask_for_agreement)

_DONE = {"removed": "account.household.removed", "left": "account.household.left"}


@bp.get("")
@signed_in
def show_household() -> Response:
    """Show who belongs to the households the person may act for."""
    return page(
        "account/household.html",
        households=_own_households(),
        done_key=_DONE.get(request.args.get("done", "")),
    )


@bp.get("/<uuid:household_id>/proxies/<uuid:membership_id>/remove")
@signed_in
def ask_removal(household_id: UUID, membership_id: UUID) -> Response:
    """Ask whether this proxy is to be removed."""
    household = _require_household(household_id, own=True)
    for member in household.members:
        if member.membership_id == membership_id and member.is_proxy:
            return page("account/proxy_remove.html", name=member.name, action=request.path)
    raise NotFound


@bp.post("/<uuid:household_id>/proxies/<uuid:membership_id>/remove")
@signed_in
def remove(household_id: UUID, membership_id: UUID) -> Response:
    """Remove a proxy, at once and without the other's word (D3)."""
    case = ProxyCase(household_id=household_id, membership_id=membership_id)
    with transaction(services().sessions) as db:
        removal = remove_proxy_alone(
            db,
            require_person().account_id,
            case,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
        )
    if removal is Removal.UNKNOWN:
        raise NotFound
    return see_other("/account/household?done=removed")


@bp.get("/<uuid:household_id>/leave")
@signed_in
def ask_leave(household_id: UUID) -> Response:
    """Ask whether the person really stops being a proxy."""
    household = _require_household(household_id, own=False)
    return page("account/leave.html", name=household.representative_name, action=request.path)


@bp.post("/<uuid:household_id>/leave")
@signed_in
def leave(household_id: UUID) -> Response:
    """Stop being a proxy; what the person held for this household ends (A37)."""
    with transaction(services().sessions) as db:
        removal = leave_household(
            db,
            require_person().account_id,
            household_id,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
        )
    if removal is Removal.UNKNOWN:
        raise NotFound
    return see_other("/account/household?done=left")


def _own_households() -> tuple[OwnHousehold, ...]:
    with reading(services().sessions) as db:
        return list_own_households(db, require_person().account_id, now=services().clock())


def _require_household(household_id: UUID, *, own: bool) -> OwnHousehold:
    for household in _own_households():
        if household.household_id == household_id and household.own is own:
            return household
    raise NotFound
