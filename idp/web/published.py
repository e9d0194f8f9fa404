"""Public documents, answered before a request is made of the call: the metadata and the keys.

Relying parties ask for them before nearly everything else, and their text changes only with the
keys. So the answer of the view is kept and sent again as long as the keys are the same ones; only
the number of the request is new. Whatever is not a plain GET of one of the documents by one of our
names goes on to the application.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

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
_NUMBER = "X-Request-Id"
#: Documents times names with ports: a few are used, and nobody may fill the memory.
_MOST_ANSWERS = 64

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class _Answer:
    """What the view said while these were the keys."""

    keys: LoadedKeys
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
        keys = self._find_keys()
        # An answer is kept only of a name that was let in.
        place = (path, environ.get("HTTP_HOST", ""))
        known = self._answers.get(place)
        if keys is None or known is None or known.keys is not keys:
            return self._ask(environ, start_response, place)
        number = str(new_id(now=self._services.clock()))
        start_response("200 OK", [*known.headers, (_NUMBER, number)])
        return [known.body]

    def _find_keys(self) -> LoadedKeys | None:
        own = self._services
        try:
            return published_keys(own.sessions, keys=own.keys, now=own.clock())
        except UNAVAILABLE:
            return None  # the application says so

    def _ask(
        self, environ: Environ, start_response: Callable[..., Any], place: tuple[str, str]
    ) -> Iterable[bytes]:
        """Let the application answer, and keep a document that it gave."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401
            started.append((status, headers))
            return start_response(status, headers, *rest)

        before = self._find_keys()
        parts = self._application(environ, start)
        body = b"".join(parts)
        close = getattr(parts, "close", None)
        if close is not None:
            close()
        status, headers = started[-1]
        if before is not None and status == "200 OK":
            same = [each for each in headers if each[0] != _NUMBER]
            self._keep(place, _Answer(before, same, body))
        return [body]

    def _keep(self, place: tuple[str, str], answer: _Answer) -> None:
        if place in self._answers or len(self._answers) < _MOST_ANSWERS:
            self._answers[place] = answer


def _is_plain(environ: Environ) -> bool:
    return environ["REQUEST_METHOD"] == "GET" and not environ.get("QUERY_STRING")
