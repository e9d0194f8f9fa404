"""The booking application as a family uses it, over its pages."""

from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest

from clients.booking.site import create_app as create_booking
from clients.kit.clock import tokyo_hour
from tests.clients.conftest import kit_of
from tests.clients.visitor import BASE_URL, HIYORI, MINATO, Visitor, family

DAY = date(2026, 12, 2)


def confirm(visitor, *, code="minami", day=DAY, hours=(9, 10), child="child-hiyori"):
    query = urlencode({"child": child, "day": day.isoformat(), "hour": list(hours)}, doseq=True)
    return visitor.get(f"/facilities/{code}/confirm?{query}")


def book(visitor, **choices):
    """Confirm and send the page's own form; return the answer."""
    confirm(visitor, **choices)
    fields = visitor.fields()
    data = {name: [v for n, v in fields if n == name] for name, _ in fields}
    return visitor.post(f"/facilities/{choices.get('code', 'minami')}/book", data)


def test_the_whole_way_from_the_facilities_to_the_list(visitor):
    visitor.sign_in(family())
    assert "手順 1 / 3" in visitor.text()
    visitor.get("/facilities/minami?day=2026-12-02")
    assert "12月2日（水）の、どの時間にしますか" in visitor.text()
    assert "お子さま（2024年5月12日生まれ）（2歳6か月）" in visitor.text().replace(
        '<span class="nowrap">', ""
    )
    assert "10時間のうち 10時間" in visitor.text()
    assert "○ あと4人" in visitor.text()
    confirm(visitor)
    assert "9時00分から11時00分" in visitor.text()
    assert "600円" in visitor.text()
    made = book(visitor)
    assert made.status_code == 303
    visitor.get(made.location)
    assert "予約しました" in visitor.text()
    assert "予約した方：あなた" in visitor.text()
    visitor.get("/bookings")
    assert "12月2日（水）9時00分から11時00分" in visitor.text()
    visitor.get("/facilities/minami?day=2026-12-02")
    assert "10時間のうち 8時間" in visitor.text()
    assert visitor.text().count("予約ずみ") == 2


def test_sending_the_form_twice_books_once(visitor):
    visitor.sign_in(family())
    confirm(visitor)
    fields = visitor.fields()
    data = {name: [v for n, v in fields if n == name] for name, _ in fields}
    first = visitor.client.post("/facilities/minami/book", data=data, base_url=BASE_URL)
    second = visitor.client.post("/facilities/minami/book", data=data, base_url=BASE_URL)
    assert first.location.startswith("/bookings/")
    assert second.location == "/bookings"
    visitor.get("/bookings")
    assert visitor.text().count("<h3>") == 1


def test_no_hour_ticked_is_said_beside_the_hours(visitor):
    visitor.sign_in(family())
    page = visitor.get("/facilities/minami/confirm?child=child-hiyori&day=2026-12-02")
    assert page.status_code == 422
    assert "<title>エラー：" in visitor.text()
    assert 'role="alert"' in visitor.text()
    assert visitor.text().count("時間を1つ以上選んでください。") == 2


def test_a_place_lost_in_between_is_said_and_the_ticks_are_kept(booking, visitor, provider):
    visitor.sign_in(family())
    wednesday = {"code": "hidamari", "hours": (10, 11)}
    confirm(visitor, **wednesday)
    fields = visitor.fields()
    faster = Visitor(booking, provider)
    faster.sign_in(family(sub="aoi", household="another", children=[HIYORI | {"id": "other"}]))
    assert book(faster, code="hidamari", hours=(10,), child="other").status_code == 303
    data = {name: [v for n, v in fields if n == name] for name, _ in fields}
    page = visitor.post("/facilities/hidamari/book", data)
    assert page.status_code == 422
    assert "ちょうど空きがなくなりました" in visitor.text()
    assert 'value="11" checked' in visitor.text()


def test_a42_a_child_past_its_last_day_keeps_its_history_but_cannot_book(visitor, clock):
    visitor.sign_in(family())
    visitor.get(book(visitor).location)
    clock.set(tokyo_hour(date(2027, 5, 11), 9))
    visitor.sign_in(family(children=[HIYORI | {"status": "aged_out"}]))
    visitor.get("/facilities/minami")
    ended = (
        "お子さま（2024年5月12日生まれ）は対象の期間を過ぎました。"
        "予約はできませんが、記録は見られます。"
    )
    assert ended in visitor.text()
    assert 'name="hour"' not in visitor.text()
    page = visitor.post(
        "/facilities/minami/book", {"child": "child-hiyori", "day": "2027-05-12", "hour": ["9"]}
    )
    assert page.status_code == 422
    assert ended in visitor.text()
    visitor.get("/bookings")
    assert "12月2日（水）9時00分から11時00分" in visitor.text()
    assert "終わった予約" in visitor.text()


def test_a42_a_child_no_longer_named_keeps_its_history(visitor):
    visitor.sign_in(family())
    book(visitor)
    visitor.sign_in(family(children=[]))
    assert "お子さま（2024年5月12日生まれ）" in visitor.sign_in(
        family(children=[]), "/bookings"
    ).get_data(as_text=True)
    visitor.get("/facilities/minami")
    assert "お子さまの登録がありません" in visitor.text()


def test_of_several_children_one_is_chosen(visitor):
    visitor.sign_in(family(children=[MINATO, HIYORI]))
    visitor.get("/facilities/minami?day=2026-12-02")
    assert "2024年5月12日生まれ" in visitor.text(), "the first that may book"
    visitor.get("/facilities/minami/children?day=2026-12-02")
    assert "child=child-minato" in visitor.text()
    visitor.get("/facilities/minami?child=child-minato&day=2026-12-02")
    assert "対象の期間を過ぎました" in visitor.text()


def test_the_hours_of_the_month_used_up_are_said_before_trying(visitor):
    visitor.sign_in(family())
    for day in (DAY, DAY + timedelta(days=1)):
        assert book(visitor, day=day, hours=range(9, 14)).status_code == 303
    visitor.get("/facilities/minami?day=2026-12-04")
    assert "10時間のうち 0時間" in visitor.text()
    assert "あと0時間です" in visitor.text()
    visitor.get("/facilities/minami?day=2027-01-05")
    assert "10時間のうち 10時間" in visitor.text()


def test_b54_a_facility_that_answers_later_is_said(visitor):
    visitor.sign_in(family())
    confirm(visitor, code="komorebi", day=date(2026, 12, 3))
    assert "施設に申し込みます" in visitor.text()
    visitor.get(book(visitor, code="komorebi", day=date(2026, 12, 3)).location)
    assert "申し込みました" in visitor.text()
    assert "施設の返事待ち" in visitor.text()


def test_cancelling_is_asked_once_and_then_done(visitor):
    visitor.sign_in(family())
    booking_id = book(visitor).location.split("/")[2].split("?")[0]
    visitor.get(f"/bookings/{booking_id}/cancel")
    assert "予約を取り消しますか" in visitor.text()
    visitor.get(visitor.post(f"/bookings/{booking_id}/cancel").location)
    assert "予約を取り消しました" in visitor.text()
    visitor.get(f"/bookings/{booking_id}/cancel")
    assert visitor.post(f"/bookings/{booking_id}/cancel").status_code in {403, 422}


def test_cancelling_too_late_is_said(visitor, clock):
    visitor.sign_in(family())
    booking_id = book(visitor, day=date(2026, 11, 24), hours=(10,)).location.split("/")[2]
    booking_id = booking_id.split("?")[0]
    visitor.get(f"/bookings/{booking_id}/cancel")
    clock.set(tokyo_hour(date(2026, 11, 24), 10) - timedelta(seconds=1))
    visitor.get(f"/bookings/{booking_id}/cancel")
    clock.advance(timedelta(seconds=1))
    page = visitor.post(f"/bookings/{booking_id}/cancel")
    assert page.status_code == 422
    assert "取り消せませんでした" in visitor.text()


def test_a35_a_proxy_does_the_same_under_their_own_name(booking, visitor, provider):
    visitor.sign_in(family())
    grandmother = Visitor(booking, provider)
    proxy = family("proxy", sub="fumie") | {"name": "佐倉 文江"}
    grandmother.sign_in(proxy)
    assert "佐倉 文江 さん（代理）" in grandmother.text()
    assert book(grandmother).status_code == 303
    visitor.get("/bookings")
    assert "予約した方：代理の方" in visitor.text()
    assert "文江" not in visitor.text(), "another person's name is not passed on"
    booking_id = visitor.text().split("/bookings/")[1].split('"')[0]
    visitor.get(f"/bookings/{booking_id}/cancel")
    assert visitor.post(f"/bookings/{booking_id}/cancel").status_code == 303


def delegation(**changes):
    return {
        "household_id": "sakura",
        "categories": [{"code": "booking", "active": True}],
        "valid_from": "2026-04-01",
        "valid_until": "2027-03-31",
    } | changes


@pytest.mark.parametrize(
    ("delegations", "status"),
    [
        (None, 200),
        ([delegation()], 200),
        ([delegation(categories=[])], 200),
        ([delegation(categories=None, valid_from=None, valid_until=None)], 200),
        ([delegation(categories=[{"code": "*", "active": True}])], 200),
        ([delegation(categories=[{"code": "*", "active": False}])], 403),
        ([delegation(categories=[{"code": "certificate", "active": True}])], 403),
        ([delegation(categories=[{"code": "booking", "active": False}])], 403),
        ([delegation(categories=[{"code": "booking"}])], 403),
        ([delegation(valid_from="2026-11-25")], 403),
        ([delegation(valid_until="2026-11-23")], 403),
        ([delegation(valid_until="2026-11-24")], 200),
        ([delegation(valid_until="2026-11-24T09:00:00+09:00")], 403),
        ([delegation(valid_until="2026-11-24T00:00:01+00:00")], 200),
        ([delegation(valid_from="2026-11-24T00:00:00+00:00")], 200),
        ([delegation(valid_from="2026-11-24T00:00:01+00:00")], 403),
        ([delegation(household_id="another")], 403),
        ([], 403),
    ],
    ids=str,
)
def test_a35_the_delegation_decides_what_a_proxy_may_do(visitor, delegations, status):
    claims = family("proxy", sub="fumie")
    if delegations is not None:
        claims["kosodate_delegations"] = delegations
    assert visitor.sign_in(claims).status_code == status


def test_a35_a_delegation_that_ends_takes_effect_in_mid_visit(visitor, clock):
    claims = family("proxy", sub="fumie")
    claims["kosodate_delegations"] = [delegation(valid_until="2026-11-24")]
    clock.set(tokyo_hour(date(2026, 11, 24), 23))
    visitor.sign_in(claims)
    assert visitor.get("/bookings").status_code == 200
    clock.set(tokyo_hour(date(2026, 11, 25), 0) - timedelta(microseconds=1))
    assert visitor.get("/bookings").status_code == 200
    clock.set(tokyo_hour(date(2026, 11, 25), 0))
    assert visitor.get("/bookings").status_code == 403


def test_another_household_s_booking_is_not_found(booking, visitor, provider):
    """A leak of this kind showed the notes of 36 children to 204 households."""
    visitor.sign_in(family())
    booking_id = book(visitor).location.split("/")[2].split("?")[0]
    other = Visitor(booking, provider)
    other.sign_in(family(sub="aoi", household="another", children=[HIYORI | {"id": "other"}]))
    missing = other.get("/bookings/does-not-exist").get_data()
    for path in (f"/bookings/{booking_id}", f"/bookings/{booking_id}/cancel"):
        page = other.get(path)
        assert page.status_code == 404
        assert page.get_data().replace(path.encode(), b"") == missing.replace(
            b"/bookings/does-not-exist", b""
        ).replace(path.encode(), b"")
    other.get("/bookings")
    assert booking_id not in other.text()
    token = {"csrf_token": other.token()}
    assert other.post(f"/bookings/{booking_id}/cancel", token).status_code == 404
    assert other.get("/facilities/minami?child=child-hiyori").status_code == 404
    other.get("/children")
    page = other.post("/children/child-hiyori/nickname", {"nickname": "ひより"})
    assert page.status_code == 404
    visitor.get("/children")
    assert 'value="ひより"' not in visitor.text()


def test_a_new_representative_finds_the_household_s_bookings(booking, visitor, provider):
    visitor.sign_in(family())
    book(visitor)
    father = Visitor(booking, provider)
    father.sign_in(family(sub="ken"), "/bookings")
    assert "12月2日（水）9時00分から11時00分" in father.text()
    assert "予約した方：代表の方" in father.text()


def test_the_qr_code_of_a_door_survives_the_sign_in(visitor):
    visitor.sign_in(family(), "/b/hidamari")
    assert "<h1>ひだまり保育室</h1>" in visitor.text()


@pytest.mark.parametrize("typed", ["hidamari", "HIDAMARI", "ｈｉｄａｍａｒｉ"])
def test_a_code_typed_from_the_sign_is_understood(visitor, typed):
    visitor.sign_in(family())
    assert visitor.get(f"/b/{typed}").location == "/facilities/hidamari"


def test_an_unknown_door_is_not_found(visitor):
    visitor.sign_in(family())
    assert visitor.get("/b/nowhere").status_code == 404


def test_two_tabs_keep_their_own_way(visitor, provider):
    provider.person = family()
    door = visitor.go_to_provider("/b/hidamari")
    bookings = visitor.go_to_provider("/bookings")
    assert visitor.get(bookings).location == "/bookings"
    assert visitor.get(door).location in {"/", "/b/hidamari"}


def test_a_nickname_is_the_family_s_own(visitor):
    visitor.sign_in(family())
    visitor.get("/children")
    assert "予約できます（2027年5月10日（令和9年）まで）" in visitor.text()
    saved = visitor.post("/children/child-hiyori/nickname", {"nickname": "  ひよ　り "})
    visitor.get(saved.location)
    assert "保存しました" in visitor.text()
    assert "ひよ り さん（2024年5月12日生まれ）" in visitor.text()


@pytest.mark.parametrize("typed", ["あ" * 31, "a\u202eb", "a\x00b", "a\u200bb"])
def test_a_nickname_that_is_none_is_said_and_kept_in_the_field(visitor, typed):
    visitor.sign_in(family())
    visitor.get("/children")
    page = visitor.post("/children/child-hiyori/nickname", {"nickname": typed})
    assert page.status_code == 422
    assert 'aria-describedby="nickname-wrong-hint nickname-wrong-error"' in visitor.text()
    assert 'href="#nickname-wrong"' in visitor.text()


def test_markup_in_a_nickname_is_text(visitor):
    visitor.sign_in(family())
    visitor.get("/children")
    visitor.get(
        visitor.post("/children/child-hiyori/nickname", {"nickname": "<b>{{7*7}}</b>"}).location
    )
    assert b"&lt;b&gt;{{7*7}}&lt;/b&gt;" in visitor.page.data
    assert b"<b>{{" not in visitor.page.data


@pytest.mark.parametrize(
    "query",
    [
        "day=yesterday",
        "day=0001-01-01",
        "day=9999-12-31",
        "day=2026-02-30",
        "hour=99&hour=-1&hour=x&day=2026-12-02",
        "day=%00",
        "day=%FF%FE",
        "child=" + "x" * 3000,
    ],
)
def test_strange_choices_are_no_error_of_ours(visitor, query):
    visitor.sign_in(family())
    for path in ("/facilities/minami", "/facilities/minami/confirm"):
        assert visitor.get(f"{path}?{query}").status_code in {200, 404, 422}


def test_days_far_away_are_brought_back_to_the_days_there_are(visitor):
    visitor.sign_in(family())
    visitor.get("/facilities/minami?day=9999-12-31")
    assert "次の週" not in visitor.text()
    visitor.get("/facilities/minami?day=0001-01-01")
    assert "前の週" not in visitor.text()
    assert "11月23日から11月29日" in visitor.text()


def test_a_trial_s_facilities_stay_open_as_the_days_go_by(booking, visitor, clock):
    clock.advance(timedelta(days=200))
    visitor.sign_in(family())
    assert "いまは空きがありません" in visitor.text()
    kit_of(booking).worker.clear_away()
    visitor.get("/")
    assert "いまは空きがありません" not in visitor.text()


def test_no_fictional_facility_enters_a_real_installation(settings, rules, clock, provider):
    real = replace(rules, fictional_weeks=0)
    visitor = Visitor(create_booking(settings, real, clock=clock), provider)
    visitor.sign_in(family())
    assert "予約できる施設はまだありません" in visitor.text()


def test_english_pages_are_english(visitor):
    visitor.sign_in(family() | {"locale": "en"})
    visitor.get("/facilities/minami?day=2026-12-02")
    assert "Which hours on Wed 2 December?" in visitor.text()
    assert "Child born 12 May 2024" in visitor.text()
    visitor.get(book(visitor).location)
    assert "Wed 2 December, 9:00 to 11:00" in visitor.text()


def test_the_nickname_lives_only_here(booking, visitor):
    """Nothing of it goes out but in the family's own mails."""
    visitor.sign_in(family())
    visitor.get("/children")
    visitor.post("/children/child-hiyori/nickname", {"nickname": "ひより"})
    with kit_of(booking).database.read() as db:
        assert db.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0
