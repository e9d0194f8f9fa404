"""What waits for a person at the services, for the home page (A31, B60)."""

from collections import Counter
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.model.upkeep import PendingNotice


def count_pending(db: Session, household_ids: Collection[UUID]) -> Mapping[str, int]:
    """Return by client id how many things wait for these households."""
    rows = db.execute(
        select(PendingNotice.client_id, func.sum(PendingNotice.count))
        .where(PendingNotice.household_id.in_(household_ids))
        .group_by(PendingNotice.client_id)
    )
    return Counter({client_id: int(count) for client_id, count in rows})
