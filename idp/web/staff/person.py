"""The page of one person in the staff console, and what one button there does."""

from uuid import UUID

from flask import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.base.dates import round_up_to_minute
from idp.db.session import transaction
from idp.domain.staff.dossier import view_person
from idp.domain.staff.issuance import IssueOutcome, issue_account
from idp.domain.staff.resending import (
    NobodyHere,
    NothingToSend,
    SentAgain,
    TooSoon,
    send_again,
)
from idp.domain.staff.roles import Permission
from idp.web.deps import services
from idp.web.guards import staff
from idp.web.render import field_error, see_other
from idp.web.staff.desk import console, my_desk, my_post

bp = Blueprint("staff_person", __name__, url_prefix="/staff/people")


def person_page(account_id: UUID, status: int = 200, **facts: object) -> Response:
    """Render the page of a person, or the page of an address that leads nowhere."""
    with transaction(services().sessions) as db:
        dossier = view_person(db, my_desk(), account_id, now=services().clock())
    if dossier is None:
        raise NotFound
    known = services().texts.keys("ja")
    return console(
        "staff/person.html", "search", status, dossier=dossier, known_acts=known, **facts
    )


@bp.get("/<uuid:account_id>")
@staff(Permission.VIEW_PEOPLE)
def show_person(account_id: UUID) -> Response:
    """Show what the municipality knows of a person."""
    return person_page(account_id)


@bp.post("/<uuid:account_id>/issue")
@staff(Permission.ISSUE)
def issue(account_id: UUID) -> Response:
    """Issue a draft."""
    with transaction(services().sessions) as db:
        outcome = issue_account(db, my_desk(), account_id, post=my_post(), now=services().clock())
    match outcome:
        case IssueOutcome.MAILED | IssueOutcome.WITHOUT_MAIL:
            return see_other(f"/staff/people/{account_id}?done={outcome.value}")
        case IssueOutcome.NOT_DRAFT:
            errors = [field_error("", "staff.fault.not_draft")]
            return person_page(account_id, 422, errors=errors)
        case IssueOutcome.UNKNOWN:
            raise NotFound


@bp.post("/<uuid:account_id>/send-again")
@staff(Permission.ISSUE)
def send(account_id: UUID) -> Response:
    """Mail the notice of issue again."""
    now = services().clock()
    with transaction(services().sessions) as db:
        outcome = send_again(db, my_desk(), account_id, post=my_post(), now=now)
    match outcome:
        case SentAgain():
            return see_other(f"/staff/people/{account_id}?done=sent_again")
        case TooSoon(until):
            errors = [field_error("", "staff.fault.too_soon", until=round_up_to_minute(until))]
            answer = person_page(account_id, 429, errors=errors)
            answer.headers["Retry-After"] = str(max(1, int((until - now).total_seconds())))
            return answer
        case NothingToSend():
            errors = [field_error("", "staff.fault.nothing_to_send")]
            return person_page(account_id, 422, errors=errors)
        case NobodyHere():
            raise NotFound
