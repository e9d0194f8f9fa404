"""Protection (D3): one sets it, two lift it, nobody else learns of it."""

from threading import Barrier, Thread

from sqlalchemy import func, select

from idp.db.session import transaction
from idp.domain.people.protection import (
    Lift,
    ask_to_lift,
    find_protection,
    keep_protection,
    protected_among,
    set_protection,
)
from idp.domain.upkeep.audit import Actor
from idp.model.people import Door, ProtectionFlag
from idp.model.upkeep import AuditEvent
from tests.factories import make_account, make_municipality


def clerk(db, town, now):
    person = make_account(db, now=now, municipality_id=town.id, door=Door.STAFF)
    return Actor(kind="account", account_id=person.id)


def test_d3_two_members_of_staff_lift_a_flag(db, town, mother, now):
    one, other = clerk(db, town, now), clerk(db, town, now)
    assert set_protection(db, mother.id, "支援措置", actor=one, now=now)
    assert not set_protection(db, mother.id, "again", actor=other, now=now)
    assert ask_to_lift(db, mother.id, actor=one, now=now) is Lift.WAITS
    assert ask_to_lift(db, mother.id, actor=one, now=now) is Lift.SAME_PERSON
    assert find_protection(db, mother.id) is not None
    assert ask_to_lift(db, mother.id, actor=other, now=now) is Lift.LIFTED
    assert find_protection(db, mother.id) is None
    assert ask_to_lift(db, mother.id, actor=one, now=now) is Lift.NOT_SET


def test_d3_a_wish_to_lift_can_be_refused(db, town, mother, now):
    one, other = clerk(db, town, now), clerk(db, town, now)
    set_protection(db, mother.id, "支援措置", actor=one, now=now)
    ask_to_lift(db, mother.id, actor=one, now=now)
    assert keep_protection(db, mother.id, actor=other, now=now)
    assert not keep_protection(db, mother.id, actor=other, now=now)
    assert ask_to_lift(db, mother.id, actor=other, now=now) is Lift.WAITS
    assert protected_among(db, frozenset({mother.id})) == {mother.id}


def test_d3_lg_04_each_step_is_written_down_and_the_reason_never(db, town, mother, now):
    one, other = clerk(db, town, now), clerk(db, town, now)
    set_protection(db, mother.id, "元夫からの避難", actor=one, now=now)
    ask_to_lift(db, mother.id, actor=one, now=now)
    ask_to_lift(db, mother.id, actor=other, now=now)
    db.flush()
    rows = db.scalars(select(AuditEvent).where(AuditEvent.subject_id == mother.id)).all()
    assert {row.name for row in rows} == {
        "protection.set",
        "protection.lift_asked",
        "protection.lifted",
    }
    assert all(row.reason is None and row.municipality_id == town.id for row in rows)


def test_d3_two_at_once_set_one_flag(sessions, clock):
    now = clock()
    with transaction(sessions) as db:
        town = make_municipality(db, now=now)
        person_id = make_account(db, now=now, municipality_id=town.id).id
        staff_id = make_account(db, now=now, municipality_id=town.id, door=Door.STAFF).id
    barrier = Barrier(2)

    def protect():
        barrier.wait()
        with transaction(sessions) as db:
            set_protection(db, person_id, "支援措置", actor=Actor("account", staff_id), now=now)

    threads = [Thread(target=protect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(sessions) as db:
        assert db.scalar(select(func.count()).select_from(ProtectionFlag)) == 1
