"""Request objects by reference: fetched from registered addresses, kept for a moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import structlog

from idp.base.http import FetchError, HttpClient
from idp.protocol.params import LIMITS

#: A fragment names the content (OIDC Core §6.2), so what it names may be kept; anything else
#: is kept just long enough that nobody can make us call a service as often as he likes.
NAMED_FRESH_FOR = timedelta(minutes=10)
FRESH_FOR = timedelta(seconds=5)
_MAX_OBJECTS = 200

_log = structlog.get_logger()
_DEFAULT_HTTP = HttpClient(timeout_seconds=5)


class ObjectWanted(Exception):  # noqa: N818 - no error: the work begins again when it is there
    """An object has to be fetched, which no transaction may wait for."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


@dataclass(frozen=True)
class _Kept:
    """What an address answered; nothing if it did not answer as it should."""

    text: str | None
    read_at: datetime


class RequestObjects:
    """The objects that one process has fetched."""

    def __init__(self, http: HttpClient = _DEFAULT_HTTP) -> None:
        self._http = http
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, Lock] = {}

    def of(self, uri: str, *, now: datetime) -> str | None:
        """Return the object at an address that its client has registered; None if there is none.

        Raises:
            ObjectWanted: it was never read, or too long ago.
        """
        kept = self._kept.get(uri)
        if kept is None or not _is_fresh(uri, kept, now=now):
            raise ObjectWanted(uri)
        return kept.text

    def fetch(self, uri: str, *, now: datetime) -> None:
        """Read an object; of many threads one asks, the others wait."""
        with self._locks.setdefault(uri, Lock()):
            kept = self._kept.get(uri)
            if kept is None or not _is_fresh(uri, kept, now=now):
                self._kept[uri] = _Kept(self._read(uri), now)
        self._forget_oldest()

    def _read(self, uri: str) -> str | None:
        try:
            found = self._http.get(uri.partition("#")[0])
        except FetchError as error:
            _log.warning("request_object.failed", reason=error.reason)
            return None
        if found.status != 200 or len(found.body) > LIMITS["request"]:
            _log.warning("request_object.failed", reason="content")
            return None
        return found.body.decode("ascii", "replace").strip()

    def _forget_oldest(self) -> None:
        while len(self._kept) > _MAX_OBJECTS:
            oldest = min(list(self._kept.items()), key=lambda entry: entry[1].read_at)[0]
            self._kept.pop(oldest, None)
            self._locks.pop(oldest, None)


def _is_fresh(uri: str, kept: _Kept, *, now: datetime) -> bool:
    is_named = "#" in uri and kept.text is not None
    return now - kept.read_at < (NAMED_FRESH_FOR if is_named else FRESH_FOR)
