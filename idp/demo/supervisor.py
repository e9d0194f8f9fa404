"""The supervisor: starts every part, tells when all are ready, and stops them together."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

from idp.demo.processes import (
    Child,
    Service,
    check_alive,
    start_child,
    stop_children,
    wait_until_healthy,
)

_WATCH_SECONDS = 0.5
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into an event while the block runs."""
    stop = Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, request_stop) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def supervise(
    services: Sequence[Service],
    *,
    late: Sequence[Service] = (),
    logs: Path,
    stop: Event,
    on_ready: Callable[[], None],
) -> None:
    """Run the parts until `stop` is set; whatever happens, leave no process behind.

    `late` parts are started when the others answer: nobody waits for them.

    Raises:
        DemoFailure: a part ended by itself or never answered.
        StopRequested: `stop` was set before all were ready.
    """
    children: list[Child] = []
    try:
        _start(services, logs, children)
        wait_until_healthy(children, stop)
        _start(late, logs, children)
        on_ready()
        while not stop.wait(_WATCH_SECONDS):
            check_alive(children)
    finally:
        stop_children(children)


def _start(services: Sequence[Service], logs: Path, children: list[Child]) -> None:
    for service in services:
        # One by one into the list: if the third cannot start, the first two are stopped.
        children.append(start_child(service, logs))  # noqa: PERF401
