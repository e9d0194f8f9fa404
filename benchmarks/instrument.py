"""The provider with a counter of SQL statements and a profiler around every request."""

import cProfile
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from idp.cli.serving import build_wsgi

#: Names the folder for profiles; without it nothing is profiled.
PROFILE_VARIABLE = "KOSODATE_PROFILE_FOLDER"
#: Asked by the load scenarios between two operations: writes what was seen, and begins anew.
TURN_OVER_PATH = "/.benchmarks/"
STATEMENTS_HEADER = "X-Statements"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Instrumented:
    """Counts and profiles; made for one worker with one thread."""

    def __init__(self, application: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self._application = application
        self._statements = 0
        self._profile = cProfile.Profile()
        self._folder = os.environ.get(PROFILE_VARIABLE)
        event.listen(Engine, "before_cursor_execute", self._count)
        event.listen(Engine, "commit", self._count)

    def _count(self, *_facts: object) -> None:
        self._statements += 1

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer like the application, and say how many statements it took."""
        if environ["PATH_INFO"].startswith(TURN_OVER_PATH):
            self._turn_over(environ["PATH_INFO"].removeprefix(TURN_OVER_PATH))
            start_response("204 No Content", [])
            return []
        self._statements = 0

        def counted(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            return start_response(
                status, [*headers, (STATEMENTS_HEADER, str(self._statements))], *rest
            )

        if self._folder is None:
            return self._application(environ, counted)
        return self._profile.runcall(self._application, environ, counted)

    def _turn_over(self, name: str) -> None:
        if self._folder is not None:
            self._profile.create_stats()
            self._profile.dump_stats(Path(self._folder) / f"{Path(name).name}.pstats")
            self._profile = cProfile.Profile()


def build_instrumented() -> Instrumented:
    """Build the application of `idp serve` with the instruments around it."""
    return Instrumented(build_wsgi())
