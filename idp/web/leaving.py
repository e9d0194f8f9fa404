"""The end of a session in the browser: cookies go, services are told, the person goes on."""

from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.db.session import OpenSession
from idp.domain.grants.logout import frontchannel_addresses
from idp.domain.signin.doors import STAFF
from idp.domain.signin.sessions import SignedIn
from idp.web.deps import allow_frames, drop_cookie, services
from idp.web.render import page, see_other

#: Everything of ours, so that nothing is left on a device other people use (B19, D7).
_CLEAR_ALL = '"cache", "cookies", "storage"'


def frames_of(db: OpenSession, person: SignedIn) -> tuple[str, ...]:
    """Return the addresses of services that sign the person out in this browser."""
    issuer = services().settings.provider.issuer
    return frontchannel_addresses(db, person.session_id, issuer=issuer, keys=services().keys)


def leave(person: SignedIn, address: str, *, frames: tuple[str, ...]) -> Response:
    """Clear the cookies of the person who has just signed out, and send her on.

    Services that asked for it are loaded in frames on the way (Front-Channel Logout §2). That
    page answers a POST itself: its addresses are in nobody's history, and a reload finds
    nobody signed in and goes on.
    """
    if frames:
        allow_frames(frames)
        response = page("signin/leaving.html", frames=frames, next_href=address, idle=None)
    else:
        response = see_other(address)
    drop_cookie("session")
    drop_cookie("walk")
    if person.shared_device:
        response.headers["Clear-Site-Data"] = _CLEAR_ALL
    return response


def signed_out_address(person: SignedIn | None) -> str:
    """Return the page that says it is done, in the words for this device and this door."""
    facts = {"shared": "1"} if person is not None and person.shared_device else {}
    if person is not None and person.door is STAFF:
        facts["door"] = "staff"
    return with_query("/signed-out", facts)
