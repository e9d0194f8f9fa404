"""Failures as the log may know them: where they happened, never what they say."""

import traceback
from pathlib import Path

#: How many calls of a failure are written down.
_MAX_PLACES = 40


def places_of(error: BaseException) -> str:
    """Write in one line where it broke, the innermost call first.

    Never `exc_info`: messages of exceptions quote what was sent (LG-01), in several lines (IN-03).
    """
    places: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(places) < _MAX_PLACES:
        calls = traceback.extract_tb(cause.__traceback__)
        places += [f"{Path(call.filename).name}:{call.lineno}:{call.name}" for call in calls[::-1]]
        cause = cause.__cause__ or cause.__context__
        places += [f"after:{type(cause).__name__}"] if cause else []
    return "<".join(places[:_MAX_PLACES])
