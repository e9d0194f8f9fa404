"""What the provider's processes ask of their interpreter and their allocator."""

import ctypes
import gc
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: The parameter of mallopt(3) that says how many arenas there may be.
_M_ARENA_MAX = -8
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@contextmanager
def uncollected() -> Iterator[None]:
    """Load modules without looking for garbage meanwhile: there is none, and it takes a sixth."""
    gc.disable()
    try:
        yield
    finally:
        # What was loaded stays: the first collection would look through all of it once more.
        keep_loaded()
        gc.enable()


def start_others_by_fork() -> None:
    """Let processes begin with everything that is loaded here, where that is safe.

    On Linux modules and texts are then loaded once, and are in memory once. Whoever forks must
    have neither connections nor threads that hold a lock. Elsewhere the system's libraries
    forbid it, and each process loads for itself.
    """
    multiprocessing.set_start_method("fork" if sys.platform == "linux" else "spawn")


def keep_loaded() -> None:
    """Take everything that is there out of the collector's sight: it stays as long as we do.

    Done before a fork, a collection writes to no object of the parent, and the memory of both
    stays one. Nothing is collected before: loading leaves little, and looking takes long.
    """
    gc.freeze()


def collect_seldom() -> None:
    """Look for garbage much less often than usual.

    Nearly everything that a request makes goes with its last reference; looking at it takes a
    tenth of what a page costs.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def use_one_arena() -> None:
    """Let all threads take memory from one place, where there is a choice (GNU's allocator).

    Each password hash takes 19 MiB and gives them back; with a place for every thread, each
    keeps as many of its own for the next one. It must be said before the first thread takes its
    place, also in the process that forks. Doing it twice is harmless.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
