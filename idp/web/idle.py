"""When a session will end by itself, for the page that the person looks at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.domain.signin.sessions import SignedIn
from idp.protocol.session_state import derive_browser_state
from idp.web.deps import services

#: How long before the end the page says so; of a short time the half.
_WARN = timedelta(minutes=2)


@dataclass(frozen=True)
class Idle:
    """What the page and its script know of it."""

    #: How long a session lasts unused, for those without scripts.
    minutes: int
    seconds_left: int
    warn_seconds: int
    warn_minutes: int
    #: False near the longest life of a session: then nothing extends it.
    can_go_on: bool
    #: Tells the tabs of one session from those of another; says nothing.
    mark: str


def read_idle(person: SignedIn, *, now: datetime) -> Idle:
    """Return when the session ends unless the person does something."""
    unused_until = person.last_seen_at + person.idle_time
    warn = min(_WARN, person.idle_time / 2)
    mark = derive_browser_state(services().keys.subject_key, session_id=person.session_id)
    return Idle(
        minutes=int(person.idle_time.total_seconds()) // 60,
        seconds_left=int((min(unused_until, person.expires_at) - now).total_seconds()),
        warn_seconds=int(warn.total_seconds()),
        warn_minutes=max(1, int(warn.total_seconds()) // 60),
        can_go_on=unused_until < person.expires_at,
        mark=mark[:8],
    )
