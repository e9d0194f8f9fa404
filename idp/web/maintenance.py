"""Planned maintenance at the door: who is let in while the provider is closed (B43)."""

from datetime import datetime

from werkzeug.exceptions import ServiceUnavailable

from idp.db.errors import UNAVAILABLE
from idp.domain.upkeep.maintenance import find_running, known_windows
from idp.web.deps import services, state, this_request

#: What stays as it is: services go on verifying what they hold, supervisors see a live process,
#: and a page can be read in the other language. None of them looks at a plan, or at a database.
ALWAYS_OPEN = frozenset(
    {
        "health.live",
        "oidc_check_session.check_session",
        "oidc_discovery.jwks",
        "oidc_discovery.oauth_authorization_server",
        "oidc_discovery.openid_configuration",
        "signin_language.switch_language",
    }
)
#: What says by itself that we are closed: to the service, or to the supervisor.
SAYS_IT_ITSELF = frozenset(
    {"health.ready", "oidc_authorize.authorize", "oidc_authorize.authorize_by_post"}
)


class ClosedForMaintenance(ServiceUnavailable):
    """Nothing is done now; `until` says how long."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


def check_open() -> None:
    """Look the plans up, for the notice on every page, and refuse while one is running.

    Raises:
        ClosedForMaintenance: nobody can sign in now.
    """
    request, own = this_request(), services()
    if request.endpoint in ALWAYS_OPEN or request.method == "OPTIONS":
        return
    speaks_itself = request.endpoint in SAYS_IT_ITSELF
    try:
        known = known_windows(own.sessions, now=own.clock())
    except UNAVAILABLE:
        if not speaks_itself:
            raise
        return
    if not known:
        return
    state().maintenance = known
    until = None if speaks_itself else closed_until()
    if until is not None:
        raise ClosedForMaintenance(until)


def closed_until() -> datetime | None:
    """Return when the maintenance ends that is running now, if there is one."""
    known = state().maintenance
    running = find_running(known, now=services().clock()) if known else None
    return None if running is None else running.ends_at
