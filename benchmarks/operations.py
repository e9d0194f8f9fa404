"""The operations that are measured, each as a turn that a connection repeats."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from benchmarks.repeating import Constant
from benchmarks.servers import DISCOVERY
from benchmarks.town import CALLBACK, CLIENT_ID, PASSWORD, Town, read_codes
from benchmarks.visitor import Unexpected, Visitor
from benchmarks.wire import Answer, Wire
from idp.base.clock import utc_now
from idp.base.keyring import Keyring
from idp.db.session import Sessions

VERIFIER = "benchmark-verifier-0123456789-0123456789-0123456789"
_CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SCOPE = "openid profile email"

#: One operation of one connection. Raises `Unexpected` or `ConnectionError` if it went wrong.
Turn = Callable[[], Awaitable[None]]


class UsedUp(Exception):  # noqa: N818 - a state, not a mistake of anybody
    """There is nothing left to measure with (every code was exchanged)."""


@dataclass
class Service:
    """The relying party, and what it has collected for the operations."""

    town: Town
    sessions: Sessions
    keys: Keyring
    count: int = 0
    codes: list[str] = field(default_factory=list)

    @property
    def credentials(self) -> Mapping[str, str]:
        """Return the headers of a call at an endpoint for clients."""
        pair = f"{CLIENT_ID}:{self.town.client_secret}".encode()
        return _FORM | {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def next_number(self) -> int:
        """Return a number that nobody else has."""
        self.count += 1
        return self.count

    def request(self, **changes: str) -> str:
        """Return the address of an authorization request."""
        number = self.next_number()
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": _SCOPE,
            "state": f"state-{number:08d}",
            "nonce": f"nonce-{number:08d}",
            "code_challenge": _CHALLENGE,
            "code_challenge_method": "S256",
        }
        return "/authorize?" + urlencode(query | changes)

    async def sign_in(self, visitor: Visitor, login_id: str) -> Answer | str:
        """Go to the sign-in page and send id and password; return where that leads."""
        visitor.cookies.clear()
        page = await visitor.arrive(self.request(), CALLBACK)
        assert isinstance(page, Answer)
        fields = {"login_id": login_id, "password": PASSWORD}
        return await visitor.submit(page, CALLBACK, fields)

    async def call(self, wire: Wire, path: str, form: Mapping[str, str]) -> Answer:
        """Call an endpoint for clients."""
        body = urlencode(form).encode()
        return _expect(await wire.call("POST", path, self.credentials, body), path)

    async def exchange(self, wire: Wire, code: str) -> Answer:
        """Exchange a code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return await self.call(wire, "/token", form)

    async def tokens(self, wire: Wire) -> Mapping[str, str]:
        """Sign somebody in and return the tokens."""
        outcome = await self.sign_in(Visitor(wire), self.town.person(self.next_number()))
        found: Mapping[str, str] = (await self.exchange(wire, _require_code(outcome))).json()
        return found


#: What an operation needs before its first turn, on one connection.
Prepare = Callable[[Service, Wire], Awaitable[Turn]]
#: Makes the one request of an operation.
MakeConstant = Callable[[Service, Wire], Awaitable[Constant]]


def _expect(answer: Answer, path: str) -> Answer:
    if answer.status != 200:
        raise Unexpected(f"{path}: status {answer.status}: {answer.body[:200]!r}")
    return answer


def _require_code(outcome: Answer | str) -> str:
    if isinstance(outcome, Answer):
        raise Unexpected("a page instead of a code")
    return outcome


def _fetch(path: str) -> MakeConstant:
    async def make(_service: Service, _wire: Wire) -> Constant:
        return Constant("GET", path, {})

    return make


async def _client_credentials(service: Service, _wire: Wire) -> Constant:
    body = urlencode({"grant_type": "client_credentials"}).encode()
    return Constant("POST", "/token", service.credentials, body)


async def _refresh(service: Service, wire: Wire) -> Turn:
    token = (await service.tokens(wire))["refresh_token"]

    async def turn() -> None:
        nonlocal token
        form = {"grant_type": "refresh_token", "refresh_token": token}
        token = (await service.call(wire, "/token", form)).json().get("refresh_token", token)

    return turn


async def _code_exchange(service: Service, wire: Wire) -> Turn:
    async def turn() -> None:
        if not service.codes:
            raise UsedUp
        answer = await service.exchange(wire, service.codes.pop())
        if b'"id_token"' not in answer.body or b'"refresh_token"' not in answer.body:
            raise Unexpected("the tokens are not complete")

    return turn


async def _userinfo(service: Service, wire: Wire) -> Constant:
    token = (await service.tokens(wire))["access_token"]
    return Constant("GET", "/userinfo", {"Authorization": f"Bearer {token}"})


async def _introspection(service: Service, wire: Wire) -> Constant:
    token = (await service.tokens(wire))["access_token"]
    body = urlencode({"token": token}).encode()
    return Constant("POST", "/introspect", service.credentials, body)


def _send(make: MakeConstant, holds: bytes) -> Prepare:
    """Prepare to send one request again and again; each answer is looked at."""

    async def prepare(service: Service, wire: Wire) -> Turn:
        sent = await make(service, wire)

        async def turn() -> None:
            answer = await wire.call(sent.method, sent.path, sent.headers, sent.body)
            if holds not in _expect(answer, sent.path).body:
                raise Unexpected(f"{sent.path}: the answer is not complete")

        return turn

    return prepare


async def silent(service: Service, wire: Wire) -> Turn:
    """Prepare authorization with a live session: prompt=none, as single-page services renew."""
    visitor = Visitor(wire)
    _require_code(await service.sign_in(visitor, service.town.person(service.next_number())))

    async def turn() -> None:
        outcome = await visitor.arrive(service.request(prompt="none"), CALLBACK)
        service.codes.append(_require_code(outcome))

    return turn


async def _password(service: Service, wire: Wire) -> Turn:
    visitor = Visitor(wire)

    async def turn() -> None:
        login_id = service.town.person(service.next_number())
        _require_code(await service.sign_in(visitor, login_id))

    return turn


async def _password_and_code(service: Service, wire: Wire) -> Turn:
    visitor = Visitor(wire)

    async def turn() -> None:
        login_id = service.town.careful_person(service.next_number())
        since = utc_now()
        page = await service.sign_in(visitor, login_id)
        assert isinstance(page, Answer)
        fields = {"code": _code_for(service, login_id, since=since)}
        _require_code(await visitor.submit(page, CALLBACK, fields))

    return turn


def _code_for(service: Service, login_id: str, *, since: datetime) -> str:
    return read_codes(service.sessions, service.keys, since=since)[login_id]


@dataclass(frozen=True)
class Operation:
    """One row of the table; `aim` is in multiples of one RS256-2048 signature."""

    name: str
    title: str
    prepare: Prepare
    aim: float | None = None
    #: How many password hashes are part of it: they are taken off before comparing.
    hashes: int = 0
    #: The request, where it is the same every time.
    constant: MakeConstant | None = None


def _same(name: str, title: str, make: MakeConstant, aim: float, holds: bytes) -> Operation:
    return Operation(name, title, _send(make, holds), aim, constant=make)


#: What the second yardstick does (benchmarks.bare).
BARE = _same("bare", "Flask, 200 bytes of JSON", _fetch("/"), 0.39, b'"a"')

OPERATIONS: Sequence[Operation] = (
    _same("discovery", "discovery", _fetch(DISCOVERY), 0.55, b'"issuer"'),
    _same("jwks", "JWKS", _fetch("/jwks"), 0.55, b'"keys"'),
    _same("client", "client credentials", _client_credentials, 1.6, b'"access_token"'),
    _same("userinfo", "UserInfo", _userinfo, 1.8, b'"email"'),
    _same("introspection", "introspection", _introspection, 1.8, b'"active": true'),
    Operation("refresh", "refresh", _refresh, 5),
    Operation("silent", "authorization with a session", silent, 5),
    Operation("code", "code exchange", _code_exchange, 5),
    Operation("password", "password sign-in, without the hash", _password, 23, hashes=1),
    Operation(
        "password-code",
        "password and mailed code, without the hash",
        _password_and_code,
        36,
        hashes=1,
    ),
)
