"""The language of pages: chosen for this browser, and by a form for the person's mails too."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.url import is_own_path
from idp.db.session import transaction
from idp.domain.people.profiles import choose_locale
from idp.web.deps import current_person, put_cookie, services
from idp.web.guards import open_to_all
from idp.web.render import see_other

bp = Blueprint("signin_language", __name__)

_ONE_YEAR_SECONDS = 31_536_000


@bp.get("/language")
@open_to_all
def switch_language() -> Response:
    """Show the pages of this browser in another language; nothing is written (BR-02)."""
    _remember(request.args.get("to", ""))
    return _back(request.args.get("next", ""))


@bp.post("/language")
@open_to_all
def choose_language() -> Response:
    """Write the language of pages and mails into the account, and remember it here."""
    wanted = request.form.get("to", "")
    person = current_person()
    if _remember(wanted) and person is not None:
        with transaction(services().sessions) as db:
            choose_locale(db, person.account_id, wanted, now=services().clock())
    return _back(request.form.get("next", ""))


def _remember(wanted: str) -> bool:
    if wanted not in services().texts.languages:
        return False
    put_cookie("language", wanted, max_age_seconds=_ONE_YEAR_SECONDS)
    return True


def _back(wanted: str) -> Response:
    return see_other(wanted if is_own_path(wanted) else "/")
