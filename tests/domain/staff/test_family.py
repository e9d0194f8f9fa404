"""A family at the desk: what two clicks in the same moment write."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from sqlalchemy import func, select

from idp.db.session import transaction
from idp.domain.people.children import NewChild
from idp.domain.staff.control import Outcome
from idp.domain.staff.desk import Desk
from idp.domain.staff.family import register_child
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.households import Child
from idp.model.upkeep import AuditEvent
from tests.factories import make_household, make_municipality


def test_b06_a_child_that_is_sent_twice_at_once_is_written_once(sessions, now, somebody_waits):
    with transaction(sessions) as db:
        town = make_municipality(db, now=now)
        home = make_household(db, now=now, municipality_id=town.id, children=())
    desk, child = Desk(town.id, COMMAND_LINE), NewChild("佐倉 みお", date(2026, 3, 1))

    def click():
        with transaction(sessions) as db:
            return register_child(db, desk, home.id, child, now=now)

    with ThreadPoolExecutor(1) as pool:
        with transaction(sessions) as db:
            assert register_child(db, desk, home.id, child, now=now) is Outcome.DONE
            db.flush()
            second = pool.submit(click)
            while not somebody_waits():
                assert not second.done()
        assert second.result() is Outcome.DONE
    with transaction(sessions) as db:
        assert db.scalar(select(func.count()).select_from(Child)) == 1
        assert [event.name for event in db.scalars(select(AuditEvent))] == ["child.added"]
