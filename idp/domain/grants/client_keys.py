"""Public keys of clients: registered with them, or fetched from where they publish them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import structlog

from idp.base.http import FetchError, HttpClient
from idp.protocol.claims import is_shallow
from idp.protocol.client import RegisteredClient
from idp.protocol.jwk import Jwk, read_published_keys

#: Keys are read again after so long, and used so long at most while that fails.
FRESH_FOR = timedelta(minutes=10)
KEPT_FOR = timedelta(hours=24)
#: A client is asked at most so often, whatever its requests say (SR-04).
ASK_AGAIN_AFTER = timedelta(seconds=30)
#: Clients whose keys a process remembers; the ones it read longest ago go first.
_MAX_CLIENTS = 1_000

_log = structlog.get_logger()
_DEFAULT_HTTP = HttpClient(timeout_seconds=5)


class KeysWanted(Exception):  # noqa: N818 - no error: the work begins again when they are there
    """The keys of a client have to be fetched, which no transaction may wait for.

    It leaves the transaction before anything was written; `idp.web.client_calls` fetches the
    keys and begins again.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


@dataclass(frozen=True)
class _Published:
    """What a client published when it was asked last."""

    keys: tuple[Jwk, ...]
    read_at: datetime | None
    tried_at: datetime

    def may_ask(self, *, now: datetime) -> bool:
        return now - self.tried_at >= ASK_AGAIN_AFTER

    def is_within(self, age: timedelta, *, now: datetime) -> bool:
        return self.read_at is not None and now - self.read_at < age


class ClientKeys:
    """The keys of every client, as one process knows them.

    One that was fetched stays while its address does not answer: a client's broken server
    stops nobody at once (stale while error).
    """

    def __init__(self, http: HttpClient = _DEFAULT_HTTP) -> None:
        self._http = http
        self._published: dict[str, _Published] = {}
        self._locks: dict[str, Lock] = {}

    def of(self, client: RegisteredClient, *, now: datetime) -> tuple[Jwk, ...]:
        """Return the keys of a client that are known now.

        Raises:
            KeysWanted: they were never read, or too long ago.
        """
        if client.jwks_uri is None:
            return _registered(client)
        known = self._published.get(client.jwks_uri)
        if known is None:
            raise KeysWanted(client.jwks_uri)
        if not known.is_within(FRESH_FOR, now=now) and known.may_ask(now=now):
            raise KeysWanted(client.jwks_uri)
        return known.keys if known.is_within(KEPT_FOR, now=now) else ()

    def look_again(self, client: RegisteredClient, *, now: datetime) -> None:
        """Ask for newer keys when the known ones did not fit: the client may have rotated.

        Raises:
            KeysWanted: the client publishes its keys and was not asked just before.
        """
        if client.jwks_uri is None:
            return
        known = self._published.get(client.jwks_uri)
        if known is None or known.may_ask(now=now):
            raise KeysWanted(client.jwks_uri)

    def fetch(self, uri: str, *, now: datetime) -> None:
        """Read the keys that a client publishes; of many threads one asks, the others wait."""
        with self._locks.setdefault(uri, Lock()):
            known = self._published.get(uri)
            if known is not None and not known.may_ask(now=now):
                return
            keys = self._read(uri)
            if keys is not None:
                self._published[uri] = _Published(keys, read_at=now, tried_at=now)
            elif known is not None:
                self._published[uri] = _Published(known.keys, known.read_at, tried_at=now)
            else:
                self._published[uri] = _Published((), read_at=None, tried_at=now)
        self._forget_oldest()

    def _read(self, uri: str) -> tuple[Jwk, ...] | None:
        try:
            found = self._http.get(uri)
            keys = _parse(found.body) if found.status == 200 else None
        except FetchError as error:
            _log.warning("client_keys.failed", reason=error.reason)
            return None
        if keys is None:
            _log.warning("client_keys.failed", reason="content")
        return keys

    def _forget_oldest(self) -> None:
        while len(self._published) > _MAX_CLIENTS:
            oldest = min(list(self._published.items()), key=lambda entry: entry[1].tried_at)[0]
            self._published.pop(oldest, None)
            self._locks.pop(oldest, None)


def _registered(client: RegisteredClient) -> tuple[Jwk, ...]:
    known = (client.jwks or {}).get("keys", [])
    assert isinstance(known, list)  # checked when it was registered
    return tuple(known)


def _parse(body: bytes) -> tuple[Jwk, ...] | None:
    try:
        text = body.decode("utf-8")
        content = json.loads(text) if is_shallow(text) else None
    except ValueError:
        return None
    return read_published_keys(content) if isinstance(content, Mapping) else None
