"""How long to wait, as a header and a sentence say it."""

from datetime import datetime
from math import ceil

from idp.web.deps import services


def wait_until(until: datetime) -> tuple[int, int]:
    """Return the seconds and the minutes until a moment, at least one of each."""
    seconds = max(1, ceil((until - services().clock()).total_seconds()))
    return seconds, ceil(seconds / 60)
