"""For which household: asked of people who belong to several."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.signin.acting_for import act_for, household_choices
from idp.domain.signin.interactions import Walk
from idp.web.deps import current_actor, require_person, services
from idp.web.guards import signed_in
from idp.web.render import FieldError, field_error, page, see_other
from idp.web.signin.walks import continue_flow, find_named_walk, walk_query

bp = Blueprint("signin_acting_for", __name__)


@bp.get("/acting-for")
@signed_in
def show_households() -> Response:
    """Ask for which household the person acts, in a sign-in or from the home page."""
    return _form(find_named_walk(), ())


@bp.post("/acting-for")
@signed_in
def choose_household() -> Response:
    """Act for the chosen household from now on."""
    walk = find_named_walk()
    chosen = _read_id(request.form.get("household_id", ""))
    with transaction(services().sessions) as db:
        is_done = chosen is not None and act_for(
            db,
            require_person(),
            chosen,
            walk.id if walk else None,
            actor=current_actor(),
            now=services().clock(),
        )
    if not is_done:
        errors = (field_error("household_id", "signin.acting_for.error.choose"),)
        return _form(walk, errors)
    return continue_flow(walk.id) if walk else see_other("/")


def _form(walk: Walk | None, errors: tuple[FieldError, ...]) -> Response:
    with reading(services().sessions) as db:
        choices = household_choices(db, require_person(), now=services().clock())
    return page(
        "signin/acting_for.html",
        422 if errors else 200,
        households=choices,
        errors=errors,
        walk_query=walk_query(walk) if walk else "",
    )


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
