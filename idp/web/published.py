"""Public documents, answered before a request is made of the call: the metadata and the keys.

Relying parties ask for them before nearly everything else, and their text changes only with the
keys. So the answer of the view is kept and sent again as long as the keys are the same ones; only
the number of the request is new. Whatever is not a plain GET of one of the documents by one of our
names goes on to the application.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType, ref

from flask import Flask

from idp.base.ids import new_id
from idp.db.errors import UNAVAILABLE
from idp.domain.grants.keys import LoadedKeys, published_keys
from idp.web.deps import SERVICES, Services

#: Who reads these says so nowhere, and gets the same document.
PATHS = frozenset(
    {
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/jwks",
    }
)
_PORT = re.compile(r"(?<=.):[1-9][0-9]{0,4}\Z")
_NUMBER = "X-Request-Id"
#: Where the view finds the keys, or the error with which the database refused them: it is asked
#: once for a request, since each question may wait for seconds (FT-02).
FOUND_KEYS = "idp.published_keys"

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class _Answer:
    """What the view said while these were the keys; it holds none of them."""

    keys: ReferenceType[LoadedKeys]
    headers: list[tuple[str, str]]
    body: bytes


class PublishedDocuments:
    """Stands before the application and repeats its answers to three addresses."""

    def __init__(self, application: Application, app: Flask) -> None:
        self._application = application
        self._services: Services = app.extensions[SERVICES]
        self._answers: dict[tuple[str, str], _Answer] = {}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a document that is known; else ask the application, and remember."""
        path = environ["PATH_INFO"]
        if path not in PATHS or not _is_plain(environ):
            return self._application(environ, start_response)
        keys = environ[FOUND_KEYS] = self._find_keys()
        # An answer is kept only of a name that was let in, and a port changes nothing (RFC 3986
        # §3.2): so there are no more than documents times our names.
        place = (path, _PORT.sub("", environ.get("HTTP_HOST", "")))
        known = self._answers.get(place)
        if isinstance(keys, Exception) or known is None or known.keys() is not keys:
            return self._ask(environ, start_response, place)
        number = str(new_id(now=self._services.clock()))
        start_response("200 OK", [*known.headers, (_NUMBER, number)])
        return [known.body]

    def _find_keys(self) -> LoadedKeys | Exception:
        own = self._services
        try:
            return published_keys(own.sessions, keys=own.keys, now=own.clock())
        except UNAVAILABLE as error:
            return error  # the application says so

    def _ask(
        self, environ: Environ, start_response: Callable[..., Any], place: tuple[str, str]
    ) -> Iterable[bytes]:
        """Let the application answer, and keep a document that it gave."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401
            started.append((status, headers))
            return start_response(status, headers, *rest)

        parts = self._application(environ, start)
        body = b"".join(parts)
        close = getattr(parts, "close", None)
        if close is not None:
            close()
        (status, headers), keys = started[-1], environ[FOUND_KEYS]
        if isinstance(keys, LoadedKeys) and status == "200 OK":
            same = [each for each in headers if each[0] != _NUMBER]
            self._answers[place] = _Answer(ref(keys), same, body)
        return [body]


def _is_plain(environ: Environ) -> bool:
    return environ["REQUEST_METHOD"] == "GET" and not environ.get("QUERY_STRING")
