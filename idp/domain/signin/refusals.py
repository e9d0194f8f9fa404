"""Refusals of a signed-in person's request: written down, and never more than a session's share."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp.domain.signin.attempts import Blocked, Counter, Limit, reserve
from idp.domain.signin.sessions import SignedIn
from idp.domain.upkeep.audit import Act, Actor, record

PURPOSE = "refused_request"
#: Enough to see what somebody tries; a page that posts all day must not fill the log.
ROWS_OF_A_SESSION = Limit("hour", timedelta(hours=1), 30)


class Refusal(enum.StrEnum):
    """Why a request was refused; the values are the reasons in the audit log."""

    FOREIGN_ORIGIN = "foreign_origin"
    FORM_TOKEN = "form_token"  # noqa: S105 - the reason's name
    COOKIES_OFF = "cookies_off"
    NO_ROLE = "no_role"
    PERMISSION = "permission"


#: These are about who asks, the others about where the form came from.
_OF_THE_PERSON = frozenset({Refusal.NO_ROLE, Refusal.PERMISSION})


@dataclass(frozen=True)
class RefusedRequest:
    """What was asked for, by the name of the view: never an address as it was typed."""

    reason: Refusal
    method: str
    endpoint: str


def note_refusal(
    db: Session, refused: RefusedRequest, person: SignedIn, actor: Actor, *, now: datetime
) -> None:
    """Write one audit row, unless the session has had its share of this hour (BR-01).

    The last row of the share says so. Only the person's own log grows: somebody who makes her
    browser send forms can hide neither her other acts nor anybody else's.
    """
    share = Counter(PURPOSE, f"session:{person.session_id}", ROWS_OF_A_SESSION)
    taken = reserve(db, share, now=now)
    if isinstance(taken, Blocked):
        return
    detail: dict[str, str | int | bool] = {"method": refused.method, "view": refused.endpoint}
    if taken.remaining == 0:
        detail["more_not_written"] = True
    act = Act(
        "request.refused" if refused.reason in _OF_THE_PERSON else "form.refused",
        subject_id=person.account_id,
        municipality_id=person.municipality_id,
        reason=refused.reason.value,
        detail=detail,
    )
    record(db, act, actor=actor, now=now)
