"""Which days a child may use the service: from six months until two days before turning three."""

from calendar import monthrange
from datetime import date, timedelta


def first_day(birthdate: date) -> date:
    """Return the first usable day: six months after birth.

    Where that month has no such day, it is the first of the next (2023-08-31 → 2024-03-01).
    """
    years, month_index = divmod(birthdate.month - 1 + 6, 12)
    return _day_or_next_month(birthdate.year + years, month_index + 1, birthdate.day)


def last_day(birthdate: date) -> date:
    """Return the last usable day: two days before the third birthday.

    An age is reached at the end of the day before the birthday, and that day is already out.
    """
    birthday = _day_or_next_month(birthdate.year + 3, birthdate.month, birthdate.day)
    return birthday - timedelta(days=2)


def age_in_months(birthdate: date, on: date) -> int:
    """Return the completed months of life on a day; negative before birth."""
    months = (on.year - birthdate.year) * 12 + on.month - birthdate.month
    return months if on.day >= birthdate.day else months - 1


def _day_or_next_month(year: int, month: int, day: int) -> date:
    if day <= monthrange(year, month)[1]:
        return date(year, month, day)
    return date(year, month, 1) + timedelta(days=monthrange(year, month)[1])
