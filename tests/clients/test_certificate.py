"""The certificate application: issued at the first visit, confirmed once per household."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from clients.certificate.certificates import (
    AlreadyDone,
    Confirmed,
    OnlyRepresentative,
    State,
    certificates_of_household,
    confirm_certificate,
    find_certificate,
    unread_certificates,
)
from clients.certificate.issuing import issue_anew, meet_household
from clients.kit.claims import Child, ChildStatus, Household, Role
from clients.kit.clock import tokyo_hour
from tests.clients.conftest import kit_of
from tests.clients.visitor import BASE_URL, HIYORI, MINATO, MORNING, Visitor, family, path_of

NOTICES = "/api/pending-notices"
TODAY = date(2026, 11, 24)
NOW = MORNING.astimezone(UTC)
CHILD = Child("child-hiyori", date(2024, 5, 12), ChildStatus.ACTIVE)
MISAKI = Household("sakura", "990001", Role.REPRESENTATIVE)


@pytest.fixture
def database(certificate):
    return kit_of(certificate).database


def meet(database, *children, household="sakura", now=NOW):
    with database.write() as db:
        meet_household(db, household, children, now=now)
        return certificates_of_household(db, household)


def counts(certificate, provider):
    kit_of(certificate).worker.deliver_due()
    return [notice["count"] for notice in provider.messages(NOTICES)]


def open_first(visitor):
    """Follow the notice to the certificate; return its path."""
    path = "/certificates/" + visitor.text().split("/certificates/")[1].split('"')[0]
    visitor.get(path)
    return path


def test_a31_an_unread_certificate_is_shown_at_sign_in_before_all_else(holder):
    holder.sign_in(family(), "/certificates/anything")
    assert "<h1>認定証管理画面</h1>" in holder.text()
    assert "まだ確認していない認定証が1件あります" in holder.text()
    assert "2026年11月24日（令和8年）から2027年5月10日（令和9年）まで" in holder.text()
    assert "2026-00001" in holder.text()


def test_a31_the_representative_confirms_once_for_the_household(certificate, holder, provider):
    holder.sign_in(family())
    path = open_first(holder)
    assert "K26-000001" in holder.text()
    holder.get(holder.post(f"{path}/confirm").location)
    assert "完了：確認しました" in holder.text()
    assert "あなたが11月24日（火）9時00分に確認しました。" in holder.text()
    holder.get("/")
    assert "まだ確認していない" not in holder.text()
    assert "使えます" in holder.text()
    father = Visitor(certificate, provider)
    father.sign_in(family("proxy", sub="ken"))
    assert "まだ確認していない" not in father.text()
    father.get(path)
    assert "代表の方が11月24日（火）9時00分に確認しました。" in father.text()


def test_a31_a_proxy_sees_it_but_leaves_it_to_the_representative(certificate, holder, provider):
    holder.sign_in(family("proxy", sub="ken"))
    assert "確認は、代表の方が行います。" in holder.text()
    path = open_first(holder)
    assert f"{path}/confirm" not in holder.text()
    assert holder.post(f"{path}/confirm").status_code == 403
    assert "代表の方だけができます" in holder.text()
    mother = Visitor(certificate, provider)
    mother.sign_in(family())
    assert "まだ確認していない認定証が1件あります" in mother.text()


def test_a31_it_can_be_put_off_until_the_next_sign_in(certificate, holder, provider):
    holder.sign_in(family())
    assert holder.post("/notice/later").location == "/"
    holder.get("/")
    assert "まだ確認していない" not in holder.text()
    assert "未確認" in holder.text()
    again = Visitor(certificate, provider)
    again.sign_in(family())
    assert "まだ確認していない認定証が1件あります" in again.text()


def test_a31_putting_off_needs_the_form(holder):
    holder.sign_in(family())
    assert holder.client.post("/notice/later", base_url=BASE_URL).status_code == 403
    holder.get("/")
    assert "まだ確認していない" in holder.text()


def test_a31_the_provider_is_told_every_change_of_the_count(certificate, holder, provider):
    holder.sign_in(family(children=[HIYORI, HIYORI | {"id": "twin"}]))
    assert "まだ確認していない認定証が2件あります" in holder.text()
    assert counts(certificate, provider) == [2]
    path = open_first(holder)
    holder.post(f"{path}/confirm")
    assert counts(certificate, provider) == [2, 1]
    holder.get("/")
    path = open_first(holder)
    holder.post(f"{path}/confirm")
    assert counts(certificate, provider) == [2, 1, 0]
    assert {n["code"] for n in provider.messages(NOTICES)} == {"certificate.unread"}
    assert {n["household_id"] for n in provider.messages(NOTICES)} == {"sakura"}
    Visitor(certificate, provider).sign_in(family(children=[HIYORI, HIYORI | {"id": "twin"}]))
    assert counts(certificate, provider) == [2, 1, 0]


def test_a31_of_two_confirmations_at_once_one_counts(database):
    [certificate] = meet(database, CHILD)
    start = threading.Barrier(8)

    def confirm(sub):
        start.wait(timeout=30)
        with database.write() as db:
            return type(confirm_certificate(db, MISAKI, sub, certificate.id, now=NOW)).__name__

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(confirm, [f"person-{n}" for n in range(8)]))
    assert outcomes == ["AlreadyDone"] * 7 + ["Confirmed"]


def test_confirming_is_for_the_household_s_own_representative(database):
    [certificate] = meet(database, CHILD)

    def confirm(household, now=NOW):
        with database.write() as db:
            return confirm_certificate(db, household, "somebody", certificate.id, now=now)

    proxy = Household("sakura", "990001", Role.PROXY)
    other = Household("another", "990001", Role.REPRESENTATIVE)
    assert isinstance(confirm(proxy), OnlyRepresentative)
    assert isinstance(confirm(other), AlreadyDone)
    end = tokyo_hour(date(2027, 5, 11), 0)
    assert isinstance(confirm(MISAKI, now=end), AlreadyDone)
    assert isinstance(confirm(MISAKI, now=end - timedelta(seconds=1)), Confirmed)


def test_another_household_s_certificate_is_not_found(certificate, holder, provider):
    holder.sign_in(family())
    path = open_first(holder)
    other = Visitor(certificate, provider)
    other.sign_in(family(sub="aoi", household="another", children=[HIYORI | {"id": "other"}]))
    assert path not in other.text()
    assert other.get(path).status_code == 404
    other.get("/")
    assert other.post(f"{path}/confirm").status_code == 404
    holder.get(path)
    assert "未確認" in holder.text()


def test_every_child_gets_one_certificate_however_often_one_signs_in(database):
    meet(database, CHILD)
    assert len(meet(database, CHILD)) == 1
    brother = Child("brother", date(2025, 1, 1), ChildStatus.ACTIVE)
    assert [c.number for c in meet(database, CHILD, brother)] == ["2026-00002", "2026-00001"]


def test_first_visits_at_once_issue_once(database):
    start = threading.Barrier(6)

    def visit(_n):
        start.wait(timeout=30)
        return len(meet(database, CHILD))

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(visit, range(6))) == {1}


def test_a42_an_aged_out_child_has_a_certificate_that_has_ended(holder):
    holder.sign_in(family(children=[MINATO]))
    assert "まだ確認していない" not in holder.text()
    assert "期間終了" in holder.text()
    assert "対象の期間を過ぎました。予約はできませんが、記録は見られます。" in holder.text()


def states(database, day):
    with database.read() as db:
        return [c.state(today=day) for c in certificates_of_household(db, "sakura")]


def test_a_certificate_runs_through_its_states(database):
    baby = Child("baby", date(2026, 9, 1), ChildStatus.ACTIVE)
    [certificate] = meet(database, baby)
    assert (certificate.valid_from, certificate.valid_until) == (
        date(2027, 3, 1),
        date(2029, 8, 30),
    )
    assert states(database, TODAY) == [State.ISSUED]
    with database.write() as db:
        confirm_certificate(db, MISAKI, "misaki", certificate.id, now=NOW)
    assert states(database, date(2027, 2, 28)) == [State.READ]
    assert states(database, date(2027, 3, 1)) == [State.VALID]
    assert states(database, date(2029, 8, 30)) == [State.VALID]
    assert states(database, date(2029, 8, 31)) == [State.EXPIRED]


@pytest.mark.parametrize("status", [ChildStatus.MOVED_OUT, ChildStatus.WITHDRAWN])
def test_who_leaves_the_scheme_loses_the_certificate(database, status):
    meet(database, CHILD)
    meet(database, Child(CHILD.id, CHILD.birthdate, status))
    assert states(database, TODAY) == [State.REVOKED]


def test_a_child_that_left_before_its_first_visit_gets_none(database):
    assert meet(database, Child("gone", date(2024, 5, 12), ChildStatus.WITHDRAWN)) == []


def test_a31_a_certificate_issued_anew_is_unread_again(database):
    [first] = meet(database, CHILD)
    with database.write() as db:
        confirm_certificate(db, MISAKI, "misaki", first.id, now=NOW)
        issue_anew(db, "sakura", CHILD.id, CHILD.birthdate, now=NOW)
        assert len(unread_certificates(db, "sakura", today=TODAY)) == 1
        assert find_certificate(db, "sakura", first.id).state(today=TODAY) is State.REVOKED


def test_a_count_that_runs_out_is_corrected(certificate, holder, provider, clock):
    holder.sign_in(family())
    assert counts(certificate, provider) == [1]
    clock.set(tokyo_hour(date(2027, 5, 11), 0))
    kit_of(certificate).worker.clear_away()
    kit_of(certificate).worker.clear_away()
    assert counts(certificate, provider) == [1, 0]


def test_old_certificates_and_marks_are_cleared_away(certificate, holder, clock):
    holder.sign_in(family())
    holder.post("/notice/later")
    worker = kit_of(certificate).worker
    clock.set(datetime(2032, 5, 8, tzinfo=UTC))
    worker.clear_away()
    with kit_of(certificate).database.read() as db:
        assert db.execute("SELECT count(*) FROM certificate").fetchone()[0] == 1
        assert db.execute("SELECT count(*) FROM notice_put_off").fetchone()[0] == 0
    clock.set(datetime(2032, 5, 10, tzinfo=UTC))
    worker.clear_away()
    with kit_of(certificate).database.read() as db:
        assert db.execute("SELECT count(*) FROM certificate").fetchone()[0] == 0


def test_a_proxy_whose_category_is_off_stays_out(holder):
    claims = family("proxy", sub="ken")
    off = {"household_id": "sakura", "categories": [{"code": "certificate", "active": False}]}
    assert holder.sign_in(claims | {"kosodate_delegations": [off]}).status_code == 403


def test_a_signed_out_reader_is_sent_to_sign_in(holder):
    assert path_of(holder.get("/").location) == "/login"


def test_english_pages_are_english(holder):
    holder.sign_in(family(children=[HIYORI, HIYORI | {"id": "twin"}]) | {"locale": "en-GB"})
    assert "There are 2 certificates you have not checked yet" in holder.text()
    open_first(holder)
    assert "from 24 November 2026 until 10 May 2027" in holder.text()
