"""The cookie that shows our page in a service's frame which session this browser has."""

from datetime import datetime

from idp.domain.signin.doors import FAMILY
from idp.domain.signin.sessions import SignedIn
from idp.protocol.session_state import derive_browser_state
from idp.web.cookies import read_cookie
from idp.web.deps import drop_cookie, put_cookie, services


def show_state(person: SignedIn | None, *, now: datetime) -> None:
    """Let the cookie follow the session: it is there as long as somebody is signed in.

    It ends by itself when the session does, unused or too old, so that services see that too.
    """
    known = read_cookie("state")
    if person is None or person.door is not FAMILY:
        if known is not None:
            drop_cookie("state")
        return
    wanted = derive_browser_state(services().keys.subject_key, session_id=person.session_id)
    if known != wanted or person.last_seen_at == now:
        left = min(person.idle_time, person.expires_at - now)
        put_cookie("state", wanted, max_age_seconds=int(left.total_seconds()))
