"""Values that may be seen once: the `jti` of an assertion or of a proof."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.base.secret import digest
from idp.db.rows import fetch_one
from idp.db.upsert import insert_into
from idp.model.grants import ReplayMark


def spend_once(db: Session, value: str, *, until: datetime) -> bool:
    """Use a value up, if nobody did before; tell whether this call did it.

    One INSERT decides: of many at once one wins, the others find its row. `until` is when
    the value could not be used any more anyway.
    """
    new = insert_into(db, ReplayMark).on_conflict_do_nothing().returning(ReplayMark.expires_at)
    return fetch_one(db, new, {"key_digest": digest(value), "expires_at": until}) is not None
