"""Caches of a process: what is costly to read again, kept as long as the engine it came from."""

from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from idp.db.session import Sessions, engine_behind

Cache = TypeVar("Cache")

# An exception to "no module state" (the other is idp.db.kept): operations get nothing but a
# session, and what a database said may not outlive its engine nor be mixed with another's.
_OF_ENGINE: WeakKeyDictionary[Engine, dict[Callable[[], object], object]] = WeakKeyDictionary()


def cache_of(db: Session, make: Callable[[], Cache]) -> Cache:
    """Return the cache that `make` makes, one for each engine and process."""
    return _cache_of_engine(db.get_bind().engine, make)


def cache_behind(sessions: Sessions, make: Callable[[], Cache]) -> Cache:
    """Return the same cache where no session is open yet."""
    return _cache_of_engine(engine_behind(sessions), make)


def _cache_of_engine(engine: Engine, make: Callable[[], Cache]) -> Cache:
    caches = _OF_ENGINE.setdefault(engine, {})
    found = caches.get(make)
    if found is None:
        # Two threads may both come here: setdefault keeps the first one's.
        found = caches.setdefault(make, make())
    return found  # type: ignore[return-value]
