"""Flask without the questions whose answer is the same at every request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

#: Names with ports that one process remembers: a few are used, and nobody may fill the memory.
_MOST_NAMES = 64


@dataclass(frozen=True)
class _Name:
    """What Flask made of a Host header that it let in."""

    host: str
    server_name: str


class _NoSessions(SessionInterface):
    """Sessions of ours are rows (idp.domain.signin.sessions): Flask's own are never opened."""

    _none = NullSession()

    def open_session(self, _app: Flask, _request: Request) -> NullSession:
        """Return the one that refuses to hold anything."""
        return self._none


class Application(Flask):
    """The provider's Flask: every view is a plain function, every address below one host."""

    session_interface = _NoSessions()

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - Flask's own
        super().__init__(*arguments, **options)
        self._names: dict[tuple[str, str], _Name] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is: none of ours is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Judge a Host header once for each name (TRUSTED_HOSTS), and go on from there.

        Raises:
            werkzeug.exceptions.SecurityError: the name is not ours.
        """
        if request is None:
            return None
        environ = request.environ
        named = (environ.get("HTTP_HOST", ""), environ["wsgi.url_scheme"])
        known = self._names.get(named)
        if known is None:
            return self._judge(request, named)
        request.trusted_hosts = self.config["TRUSTED_HOSTS"]
        request.host = known.host
        return MapAdapter(
            self.url_map,
            known.server_name,
            _as_text(environ.get("SCRIPT_NAME", "")),
            self.url_map.default_subdomain,
            environ["wsgi.url_scheme"],
            _as_text(environ.get("PATH_INFO", "/")),
            environ["REQUEST_METHOD"],
            _as_text(environ.get("QUERY_STRING", "")),
        )

    def process_response(self, response: Response) -> Response:
        """Finish an answer: no blueprint and no view brings a function of its own for that."""
        for each in reversed(self.after_request_funcs[None]):
            response = each(response)
        return response

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """Leave nothing behind: what a request opens, it closes itself (idp.db.session)."""

    def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
        """Close no session: the one of Flask-SQLAlchemy is never opened."""

    def _judge(self, request: Request, named: tuple[str, str]) -> MapAdapter | None:
        adapter = super().create_url_adapter(request)
        # Without a Host header the answer depends on more than this.
        if adapter is not None and named[0]:
            if len(self._names) >= _MOST_NAMES:
                # Strangers may call us by any port: the names in use come back at once.
                self._names.clear()
            self._names[named] = _Name(request.host, adapter.server_name)
        return adapter


def _as_text(value: str) -> str:
    """Read what a WSGI server hands over as Latin-1 (PEP 3333)."""
    return value.encode("latin-1").decode(errors="replace")
