"""The person's own choice of a second step; the form stands on the page of security (B33)."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import transaction
from idp.domain.signin.step_wish import set_step_wish
from idp.web.account.entry import ask_for_agreement
from idp.web.account.security import security_page
from idp.web.confirming import after_password
from idp.web.deps import current_actor, require_person, services
from idp.web.guards import signed_in
from idp.web.render import field_error, see_other

bp = Blueprint("account_second_step", __name__, url_prefix="/account")
bp.before_request(ask_for_agreement)

_PASSWORD = "step_password"  # noqa: S105 - a field of the form


@bp.post("/second-step")
@signed_in
def submit_second_step() -> Response:
    """Switch it on at once; off only for whoever knows the password."""
    match request.form.get("wanted"):
        case "on":
            return _set(wanted=True)
        case "off":
            return after_password(
                _PASSWORD,
                lambda: _set(wanted=False),
                lambda error, status: security_page((error,), status),
            )
        case _:
            return _refuse()


def _set(*, wanted: bool) -> Response:
    with transaction(services().sessions) as db:
        is_set = set_step_wish(
            db,
            require_person(),
            wanted=wanted,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
        )
    if not is_set:
        return _refuse()
    return see_other(f"/account/security?done=step_{'on' if wanted else 'off'}")


def _refuse() -> Response:
    return security_page((field_error("second-step", "account.step.fixed"),), 422)
