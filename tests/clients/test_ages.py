"""Which days a child may use the service: both edges, and what holds for every birthdate."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.booking.rules import BookingRefusedError, Refusal, check_child, standing
from clients.kit.ages import age_in_months, first_day, last_day
from clients.kit.claims import Child, ChildStatus

BIRTHDATES = st.dates(date(2000, 1, 1), date(2090, 12, 31))


def child(birthdate, status=ChildStatus.ACTIVE):
    return Child("a child", birthdate, status)


@pytest.mark.parametrize(
    ("born", "last"),
    [
        (date(2024, 4, 10), date(2027, 4, 8)),
        (date(2024, 4, 3), date(2027, 4, 1)),
        (date(2024, 2, 29), date(2027, 2, 27)),
        (date(2023, 3, 1), date(2026, 2, 27)),
        (date(2024, 1, 1), date(2026, 12, 30)),
    ],
)
def test_a42_the_last_day_is_two_days_before_the_third_birthday(born, last):
    assert last_day(born) == last


@pytest.mark.parametrize(
    ("born", "first"),
    [
        (date(2023, 8, 31), date(2024, 3, 1)),
        (date(2023, 8, 28), date(2024, 2, 28)),
        (date(2023, 3, 31), date(2023, 10, 1)),
        (date(2024, 6, 15), date(2024, 12, 15)),
        (date(2024, 7, 1), date(2025, 1, 1)),
    ],
)
def test_the_first_day_is_six_months_after_birth(born, first):
    assert first_day(born) == first


@given(BIRTHDATES)
def test_a42_a_child_is_still_two_on_the_last_day(born):
    """Two days later is the birthday, or the first of March where there is no 29 February."""
    birthday = last_day(born) + timedelta(days=2)
    assert birthday.year == born.year + 3
    assert (birthday.month, birthday.day) == (born.month, born.day) or (born.month, born.day) == (
        2,
        29,
    )
    assert age_in_months(born, last_day(born)) < 36


@given(BIRTHDATES)
def test_the_first_day_never_comes_before_six_months(born):
    assert age_in_months(born, first_day(born)) >= 6
    assert age_in_months(born, first_day(born) - timedelta(days=1)) < 6
    assert first_day(born) < last_day(born)


@given(BIRTHDATES, BIRTHDATES)
def test_who_is_born_later_may_use_it_longer(one, other):
    earlier, later = sorted([one, other])
    assert first_day(earlier) <= first_day(later)
    assert last_day(earlier) <= last_day(later)


@given(BIRTHDATES, st.integers(-400, 1600))
def test_a42_the_check_says_yes_exactly_between_the_edges(born, days):
    day = born + timedelta(days=days)
    try:
        check_child(child(born), day, today=first_day(born))
        may = True
    except BookingRefusedError:
        may = False
    assert may == (first_day(born) <= day <= last_day(born))


def test_a42_after_the_last_day_no_day_can_be_booked():
    born = date(2024, 4, 10)
    check_child(child(born), date(2027, 4, 8), today=date(2027, 4, 8))
    with pytest.raises(BookingRefusedError) as refused:
        check_child(child(born), date(2027, 4, 8), today=date(2027, 4, 9))
    assert refused.value.reason is Refusal.CHILD_ENDED


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ChildStatus.ACTIVE, None),
        (ChildStatus.AGED_OUT, Refusal.CHILD_ENDED),
        (ChildStatus.MOVED_OUT, Refusal.CHILD_LEFT),
        (ChildStatus.WITHDRAWN, Refusal.CHILD_LEFT),
    ],
)
def test_a42_the_status_of_the_claims_counts(status, reason):
    assert standing(child(date(2024, 5, 12), status), today=date(2026, 11, 24)) is reason


def test_a_baby_too_young_today_is_in_good_standing():
    """It may book days after its six months."""
    assert standing(child(date(2026, 9, 1)), today=date(2026, 11, 24)) is None
    with pytest.raises(BookingRefusedError) as refused:
        check_child(child(date(2026, 9, 1)), date(2027, 2, 28), today=date(2026, 11, 24))
    assert refused.value.values == {"first": date(2027, 3, 1)}
    check_child(child(date(2026, 9, 1)), date(2027, 3, 1), today=date(2026, 11, 24))
