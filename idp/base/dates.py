"""Dates as families write them: western or Japanese years, full-width digits."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

#: Municipal time: Japan has no daylight saving.
TOKYO = ZoneInfo("Asia/Tokyo")

_ERAS: dict[str, tuple[int, date]] = {
    "令和": (2018, date(2019, 5, 1)),
    "平成": (1988, date(1989, 1, 8)),
    "昭和": (1925, date(1926, 12, 25)),
}
_SHORT = {"r": "令和", "h": "平成", "s": "昭和", "令": "令和", "平": "平成", "昭": "昭和"}
_YEAR = re.compile(r"(令和|平成|昭和|[rhs令平昭])?(元|[0-9]{1,4})年?")
#: What a plan can be about; beyond, sums of moments leave the calendar.
_FIRST_YEAR, _LAST_YEAR = 2000, 2200
_NUMBER = re.compile(r"0*([0-9]{1,2})[月日]?")
_WHOLE = re.compile(
    r"((?:令和|平成|昭和|[rhs令平昭])?\.?(?:元|[0-9]{1,4}))[年/.-]([0-9]{1,2})[月/.-]([0-9]{1,2})日?"
)


def parse_date_parts(year: str, month: str, day: str) -> date:
    """Read a date from three fields; the year may be 2024, 令和6, R6 or 令和元年.

    Raises:
        ValueError: the parts make no date.
    """
    wanted = _NUMBER.fullmatch(_fold(month)), _NUMBER.fullmatch(_fold(day))
    if wanted[0] is None or wanted[1] is None:
        raise ValueError("no date")
    return _build(_fold(year), int(wanted[0][1]), int(wanted[1][1]))


def parse_date(text: str) -> date:
    """Read a date from one field: 2024-05-12, 2024/5/12, 2024年5月12日, 令和6年5月12日, 20240512.

    Raises:
        ValueError: the text is no date.
    """
    folded = _fold(text)
    if re.fullmatch(r"[0-9]{8}", folded):
        return date(int(folded[:4]), int(folded[4:6]), int(folded[6:]))
    match = _WHOLE.fullmatch(folded)
    if match is None:
        raise ValueError("no date")
    return _build(match[1].replace(".", ""), int(match[2]), int(match[3]))


def parse_moment(text: str) -> datetime:
    """Read a moment: 2026-11-29T00:00 or 2026-11-29 00:00, in Tokyo unless it names an offset.

    Raises:
        ValueError: the text is no moment.
    """
    moment = datetime.fromisoformat(unicodedata.normalize("NFKC", text).strip())
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError("not of our time")
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)


def round_up_to_minute(moment: datetime) -> datetime:
    """Return the first whole minute that is not before a moment: what a clock can say."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(minutes=1)


def _fold(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).lower()


def _build(year: str, month: int, day: int) -> date:
    match = _YEAR.fullmatch(year)
    if match is None:
        raise ValueError("no year")
    number = 1 if match[2] == "元" else int(match[2])
    if match[1] is None:
        return date(number, month, day)
    offset, first_day = _ERAS[_SHORT.get(match[1], match[1])]
    moment = date(offset + number, month, day)
    if number < 1 or moment < first_day:
        raise ValueError("before the era")
    return moment
