"""What a view may ask for: the services, the person, the request's own state."""

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, lru_cache
from uuid import UUID

from flask import Request, current_app, g, request  # noqa: TID251 - the one room that uses `g`

from idp.base.clock import Clock
from idp.base.http import HttpClient
from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.texts import Texts
from idp.base.url import origin_of
from idp.db.session import Sessions
from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.request_objects import RequestObjects
from idp.domain.people.sites import Site
from idp.domain.signin.passwords import Hasher
from idp.domain.signin.sessions import SignedIn
from idp.domain.staff.roles import StaffMember
from idp.domain.upkeep.audit import Actor
from idp.domain.upkeep.maintenance import Window
from idp.domain.upstream.provider import UpstreamProvider
from idp.oauth.provider import Provider
from idp.settings.schema import Settings

SERVICES = "kosodate_services"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Services:
    """What create_app builds once and every view may use."""

    settings: Settings
    clock: Clock
    sessions: Sessions
    keys: Keyring
    texts: Texts
    hasher: Hasher
    #: Public keys of clients that this process has fetched.
    client_keys: ClientKeys
    #: Request objects that it has fetched.
    request_objects: RequestObjects
    #: The way out to other servers.
    http: HttpClient
    #: Where people prove who they are, if the operator has named a provider.
    upstream: UpstreamProvider | None

    @cached_property
    def provider(self) -> Provider:
        """The provider as the protocol endpoints see it: issuer, lifetimes and keys."""
        tokens = self.settings.tokens
        return Provider(
            issuer=self.settings.provider.issuer,
            keys=self.keys,
            code_lifetime=timedelta(seconds=tokens.code_lifetime_seconds),
            access_lifetime=timedelta(seconds=tokens.access_lifetime_seconds),
            id_lifetime=timedelta(seconds=tokens.id_lifetime_seconds),
            refresh_idle=timedelta(days=tokens.refresh_idle_days),
            refresh_absolute=timedelta(days=tokens.refresh_absolute_days),
            requires_dpop_nonce=tokens.require_dpop_nonce,
            client_keys=self.client_keys,
            request_objects=self.request_objects,
        )


@dataclass
class RequestState:
    """What is known about one request; filled by the guards, read by views and headers."""

    request_id: UUID
    #: What the scripts of a page carry; without one the answer lets no script run.
    nonce: str = ""
    person: SignedIn | None = None
    #: There was a session, and it ended by itself: the sign-in page says so.
    session_ran_out: bool = False
    staff: StaffMember | None = None
    #: Cookies to set or (value None) to clear, by kind.
    cookies: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)
    #: The browser's random name: what form tokens are bound to.
    browser: str = ""
    #: The answer to a form may lead to a service on another origin.
    leads_elsewhere: bool = False
    #: Origins of services that this page shows in frames.
    framed_origins: tuple[str, ...] = ()
    #: This page may be shown in frames of services.
    may_be_framed: bool = False
    #: The service the person is on the way to, and its municipality.
    client_name: str | None = None
    #: The walk that this page belongs to: what its forms and links name.
    walk_id: UUID | None = None
    municipality_id: UUID | None = None
    #: That municipality's block, if a query has brought it already.
    site: Site | None = None
    #: Maintenance that is planned or running, as far as it was looked for.
    maintenance: tuple[Window, ...] = ()
    #: It did not answer this request: whoever can do without it does not wait again (FT-01).
    database_is_away: bool = False

    def nonce_of_page(self) -> str:
        """Return the nonce of the page that is being written; an answer without one has none."""
        if not self.nonce:
            self.nonce = secrets.token_urlsafe(16)
        return self.nonce


def this_request() -> Request:
    """Return the request itself: Flask's name for it finds it anew at every look."""
    found = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    assert isinstance(found, Request)
    return found


def services() -> Services:
    """Return the services of this application."""
    found = current_app.extensions[SERVICES]
    assert isinstance(found, Services)
    return found


def start_request(state: RequestState) -> None:
    """Remember the state of this request (called once, before every view)."""
    g.state = state


def state() -> RequestState:
    """Return the state of this request; an early failure gets an empty one."""
    found = g.get("state")
    if found is None:
        found = g.state = RequestState(request_id=new_id(now=services().clock()))
    assert isinstance(found, RequestState)
    return found


def current_person() -> SignedIn | None:
    """Return who is signed in, if anybody."""
    return state().person


def require_person() -> SignedIn:
    """Return who is signed in; only for views behind a guard that makes sure of it."""
    person = state().person
    assert person is not None
    return person


def require_staff() -> StaffMember:
    """Return the member of staff; only for views behind the staff or admin guard."""
    member = state().staff
    assert member is not None
    return member


def current_actor() -> Actor:
    """Return who acts, for the audit."""
    person = state().person
    return Actor(
        kind="account" if person else "visitor",
        account_id=person.account_id if person else None,
        address=peer_address(),
    )


def peer_address() -> str:
    """Return the true address of the other side (RL-03).

    X-Forwarded-For counts only when the peer is a trusted proxy, and then the rightmost
    address that no trusted proxy has.
    """
    came = this_request()
    peer = _plain(came.remote_addr or "0.0.0.0")  # noqa: S104 - a name for "unknown"
    # A server joins several headers with commas.
    hops = came.environ.get("HTTP_X_FORWARDED_FOR")
    if hops is None:
        return peer
    networks = _networks(services().settings.server.trusted_proxies)
    forwarded = [hop.strip() for hop in hops.split(",")]
    while forwarded and _is_within(peer, networks):
        candidate = forwarded.pop()
        if not _is_address(candidate):
            break
        peer = _plain(candidate)
    return peer


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


@lru_cache(maxsize=1_024)
def _plain(address: str) -> str:
    """Write an IPv4 address as one: a socket for both kinds shows it as ::ffff:192.0.2.7."""
    if not _is_address(address):
        return address
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text) is not None
    except ValueError:
        return False


def _is_within(address: str, networks: Iterable[Network]) -> bool:
    if not _is_address(address):
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in networks)


def put_cookie(kind: str, value: str, *, max_age_seconds: int | None = None) -> None:
    """Set a cookie of ours with the answer; without an age it ends with the browser."""
    state().cookies[kind] = (value, max_age_seconds)


def drop_cookie(kind: str) -> None:
    """Clear a cookie of ours with the answer; what shows the session to services goes with it."""
    state().cookies[kind] = (None, None)
    if kind == "session":
        state().cookies["state"] = (None, None)


def allow_frames(addresses: tuple[str, ...]) -> None:
    """Let this page load these addresses in frames, and nothing else of anybody's."""
    origins = {origin_of(address) for address in addresses}
    state().framed_origins = tuple(sorted(origin for origin in origins if origin is not None))


def allow_framing() -> None:
    """Let services show this page in a frame; only for a page that shows and does nothing."""
    state().may_be_framed = True


def allow_foreign_answer() -> None:
    """Let the forms of this page end at a service (CSP form-action follows redirects)."""
    state().leads_elsewhere = True
