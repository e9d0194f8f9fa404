"""The console page of what services have not taken."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from idp.db.session import transaction
from idp.domain.backstage.deliveries import PAGE_SIZE, try_again, try_all_again, view_deliveries
from idp.domain.backstage.delivery import (
    claim_due,
    mark_dropped,
    mark_failed,
    mark_later,
    mark_sent,
)
from idp.domain.upkeep.audit import SYSTEM
from idp.domain.upkeep.outbox import (
    BackchannelLogout,
    EventMessage,
    Mail,
    enqueue_backchannel_logout,
    enqueue_event,
    enqueue_mail,
)
from idp.model.staff import Role
from idp.model.upkeep import AuditEvent, OutboxMessage, OutboxState
from idp.protocol.events import SecurityEvent
from tests import factories


@pytest.fixture
def person(sessions, clock, town):
    with transaction(sessions) as db:
        return factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            email="hidden@example.jp",
            family_name="秘密川",
        )


@pytest.fixture
def call(sessions, clock, keys, person):
    """Put a call for a service into the outbox and let it end so; return its id."""

    def run(how, client_id="booking", event=None):
        with transaction(sessions) as db:
            if event is None:
                ended = BackchannelLogout(client_id, uuid4(), person.id)
                enqueue_backchannel_logout(db, ended, keys=keys, now=clock())
            else:
                message = EventMessage(event, client_id, uuid4().hex, account_id=person.id)
                enqueue_event(db, message, details={}, keys=keys, now=clock())
            [row_id] = claim_due(db, limit=1, now=clock())
            how(db, row_id)
        return row_id

    return run


@pytest.fixture
def service(sessions, clock):
    with transaction(sessions) as db:
        factories.make_client(db, now=clock(), client_id="booking")


def failed(db, row_id):
    mark_failed(db, row_id, "status_500")


def waiting(clock):
    return lambda db, row_id: mark_later(db, row_id, "timeout", now=clock())


def states(sessions):
    with transaction(sessions) as db:
        return sorted((row.state, row.try_count) for row in db.scalars(select(OutboxMessage)))


def test_without_anything_the_page_says_so(admin):
    page = admin.get("/admin/deliveries")
    assert page.status == 200
    assert "すべての連絡が届いています" in page.text
    assert 'href="/admin/deliveries" aria-current="page"' in page.text


def test_it_shows_which_service_what_since_when_and_why(admin, call, service, clock):
    call(failed)
    call(waiting(clock), event=SecurityEvent.ACCOUNT_CLOSED)
    text = admin.get("/admin/deliveries").text
    assert "2件が届いていません" in text
    assert text.count("一時あずかり予約") >= 2
    assert "status_500" in text
    assert "timeout" in text
    assert "account.closed" in text
    assert "失敗" in text
    assert "次の送信" in text


def test_tn_01_nobody_is_named_and_no_address_is_shown(admin, call, service):
    call(failed)
    text = admin.get("/admin/deliveries").text
    for word in ("hidden@example.jp", "秘密川", "rp.example"):
        assert word not in text


def test_what_arrived_or_no_longer_mattered_is_not_listed(
    admin, call, service, sessions, keys, person, clock
):
    call(lambda db, row_id: mark_sent(db, row_id, now=clock()))
    call(lambda db, row_id: mark_dropped(db, row_id, "client_gone"))
    with transaction(sessions) as db:
        enqueue_mail(db, Mail("login_code", person.id, {}), keys=keys, now=clock())
        [row_id] = claim_due(db, limit=1, now=clock())
        mark_failed(db, row_id, "recipient_550")
    assert "すべての連絡が届いています" in admin.get("/admin/deliveries").text


def test_a_failed_one_is_tried_again_with_all_its_tries(admin, call, service, sessions, clock):
    row_id = call(failed)
    page = admin.get("/admin/deliveries").submit(f"/admin/deliveries/{row_id}/try")
    assert page.location == "/admin/deliveries?done=tried"
    assert page.follow().status == 200
    with transaction(sessions) as db:
        row = db.get_one(OutboxMessage, row_id)
        assert (row.state, row.next_try_at, row.try_count) == (OutboxState.QUEUED, clock(), 0)
        assert row.sealed_body is not None
        event = db.scalars(
            select(AuditEvent).where(AuditEvent.name == "delivery.tried_again")
        ).one()
        assert (event.client_id, event.detail) == ("booking", {"what": "backchannel_logout"})
        assert event.actor_id is not None
        assert claim_due(db, limit=5, now=clock()) == (row_id,)


def test_one_that_waits_is_tried_now(admin, call, service, sessions, clock):
    row_id = call(waiting(clock))
    admin.get("/admin/deliveries").submit(f"/admin/deliveries/{row_id}/try")
    with transaction(sessions) as db:
        assert claim_due(db, limit=5, now=clock()) == (row_id,)


@pytest.mark.parametrize("how", ["sent", "unknown", "under_way"])
def test_what_there_is_nothing_to_try_for_is_left_alone(admin, call, service, sessions, clock, how):
    kept = call(failed)
    row_id = call(waiting(clock))
    with transaction(sessions) as db:
        if how == "sent":
            mark_sent(db, row_id, now=clock())
        if how == "under_way":
            lease = clock() + timedelta(minutes=2)
            db.execute(
                update(OutboxMessage).where(OutboxMessage.id == row_id).values(lease_until=lease)
            )
    before = states(sessions)
    form = admin.get("/admin/deliveries").form(f"/admin/deliveries/{kept}")
    wanted = uuid4() if how == "unknown" else row_id
    page = admin.post(f"/admin/deliveries/{wanted}/try", form.fields)
    assert page.location == "/admin/deliveries?done=not_tried"
    assert states(sessions) == before


def test_the_list_comes_page_by_page(admin, call, service, sessions, clock):
    for _ in range(PAGE_SIZE + 1):
        call(failed)
        clock.advance(timedelta(seconds=1))
    first, second = admin.get("/admin/deliveries"), admin.get("/admin/deliveries?page=2")
    assert first.text.count("/try") == PAGE_SIZE
    assert second.text.count("/try") == 1
    for nonsense in ("0", "3", "-1", "x", "９"):
        assert admin.get(f"/admin/deliveries?page={nonsense}").status == 404


def test_the_service_may_be_gone(admin, call):
    call(failed, client_id="gone-service")
    assert "gone-service" in admin.get("/admin/deliveries").text


@pytest.mark.parametrize("role", [Role.MUNICIPALITY_STAFF, Role.AUDITOR, Role.READ_ONLY])
def test_tn_01_other_staff_see_nothing_of_it(enter_console, town, call, role):
    row_id = call(failed)
    browser = enter_console(role, municipality_id=town.id)
    assert browser.get("/admin/deliveries").status == 403
    form = browser.get("/logout").form("/logout")
    assert browser.post(f"/admin/deliveries/{row_id}/try", form.fields).status == 403


def test_everything_can_be_tried_again_at_once(call, service, sessions, clock):
    call(failed)
    call(waiting(clock))
    with transaction(sessions) as db:
        assert try_all_again(db, actor=SYSTEM, now=clock()) == 2
        assert len(claim_due(db, limit=5, now=clock())) == 2
        assert try_all_again(db, actor=SYSTEM, now=clock()) == 0


def test_two_clicks_at_once_try_once(call, service, sessions, clock):
    row_id = call(failed)
    with transaction(sessions) as db:
        assert try_again(db, row_id, actor=SYSTEM, now=clock())
        [_] = claim_due(db, limit=5, now=clock())
        assert not try_again(db, row_id, actor=SYSTEM, now=clock())
        assert view_deliveries(db, 1).total == 1
