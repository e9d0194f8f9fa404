"""Running one operation on many connections, and what it cost."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks.accounting import cpu_seconds
from benchmarks.operations import Operation, Service, Turn, UsedUp, silent
from benchmarks.reference import Sampler
from benchmarks.repeating import Constant, repeat
from benchmarks.visitor import Unexpected
from benchmarks.wire import Wire

_MOST_ERRORS = 20
_MOST_CODES = 3_000
_COLLECT_SECONDS = 12.0


@dataclass(frozen=True)
class Load:
    """How an operation is driven, and whose CPU time counts."""

    port: int
    connections: int
    seconds: float
    server_pid: int
    database_pid: int | None = None
    #: Send what is the same every time by wrk.
    by_wrk: bool = False


@dataclass(frozen=True)
class Figures:
    """What one run of an operation showed."""

    done: int
    errors: tuple[str, ...]
    cpu_ms: float
    database_cpu_ms: float
    #: One RS256-2048 signature, taken at the same time.
    signature_ms: float
    per_second: float
    median_ms: float
    p95_ms: float
    #: The second yardstick (benchmarks.bare), taken right before and right after.
    bare_ms: float = 0.0

    @property
    def multiple(self) -> float:
        """Return the cost in signatures."""
        return self.cpu_ms / self.signature_ms

    @property
    def bare_multiple(self) -> float:
        """Return the cost in requests to the bare server."""
        return self.cpu_ms / self.bare_ms


async def measure(operation: Operation, service: Service, load: Load) -> Figures:
    """Prepare the operation on every connection, then run it for the time of the load."""
    wires = [Wire(load.port) for _ in range(load.connections)]
    try:
        if operation.name == "code":
            await _collect_codes(service, wires)
        turns = [await operation.prepare(service, wire) for wire in wires]
        await asyncio.gather(*(turn() for turn in turns))  # warm, and seen to be right
        if operation.constant is not None and load.by_wrk:
            constant = await operation.constant(service, wires[0])
            return await _weigh(operation, load, lambda: _repeat_by_wrk(constant, load))
        return await _weigh(operation, load, lambda: _repeat_turns(turns, load))
    finally:
        for wire in wires:
            wire.close()


@dataclass(frozen=True)
class _Done:
    """What a driver did."""

    count: int
    seconds: float
    median_ms: float
    p95_ms: float
    errors: tuple[str, ...]


async def _weigh(
    operation: Operation, load: Load, drive: Callable[[], Awaitable[_Done]]
) -> Figures:
    """Drive an operation, and say what it cost the server."""
    database = [] if load.database_pid is None else [load.database_pid]
    sampler = Sampler(with_hashes=operation.hashes > 0)
    server_before, database_before = cpu_seconds([load.server_pid]), cpu_seconds(database)
    done = await drive()
    server = cpu_seconds([load.server_pid]) - server_before
    of_database = cpu_seconds(database) - database_before
    yardstick = sampler.stop()
    count = max(1, done.count)
    return Figures(
        done=done.count,
        errors=done.errors,
        cpu_ms=server * 1_000 / count - operation.hashes * yardstick.hash_ms,
        database_cpu_ms=of_database * 1_000 / count,
        signature_ms=yardstick.signature_ms,
        per_second=done.count / done.seconds,
        median_ms=done.median_ms,
        p95_ms=done.p95_ms,
    )


async def _repeat_by_wrk(constant: Constant, load: Load) -> _Done:
    seen = await asyncio.to_thread(
        repeat, constant, port=load.port, connections=load.connections, seconds=load.seconds
    )
    errors = (f"{seen.errors} answers were wrong",) * min(seen.errors, _MOST_ERRORS)
    return _Done(seen.done, seen.seconds, seen.median_ms, seen.p95_ms, errors)


async def _repeat_turns(turns: Sequence[Turn], load: Load) -> _Done:
    latencies: list[float] = []
    errors: list[str] = []
    begun = time.perf_counter()
    end = begun + load.seconds
    await asyncio.gather(*(_repeat(turn, end, latencies, errors) for turn in turns))
    elapsed = time.perf_counter() - begun
    latencies.sort()
    return _Done(
        count=len(latencies),
        seconds=elapsed,
        median_ms=_quantile(latencies, 0.5),
        p95_ms=_quantile(latencies, 0.95),
        errors=tuple(errors),
    )


async def _repeat(turn: Turn, end: float, latencies: list[float], errors: list[str]) -> None:
    while (begun := time.perf_counter()) < end and len(errors) < _MOST_ERRORS:
        try:
            await turn()
        except UsedUp:
            return
        except (Unexpected, OSError, LookupError, ValueError) as error:
            errors.append(f"{type(error).__name__}: {error}"[:200])
        else:
            latencies.append(time.perf_counter() - begun)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000 if ordered else 0.0


async def _collect_codes(service: Service, wires: Sequence[Wire]) -> None:
    """Get codes by silent authorization; they live a minute, so right before they are used."""
    service.codes.clear()
    turns = [await silent(service, wire) for wire in wires]
    end = time.perf_counter() + _COLLECT_SECONDS

    async def collect(turn: Turn) -> None:
        while len(service.codes) < _MOST_CODES and time.perf_counter() < end:
            await turn()

    await asyncio.gather(*(collect(turn) for turn in turns))


async def count_statements(operation: Operation, service: Service, port: int) -> int:
    """Return how many SQL statements one operation takes, once everything is warm."""
    wire = Wire(port)
    try:
        if operation.name == "code":
            await _collect_few_codes(service, wire)
        turn = await operation.prepare(service, wire)
        await turn()
        wire.statements = 0
        await turn()
        return wire.statements
    finally:
        wire.close()


async def _collect_few_codes(service: Service, wire: Wire) -> None:
    turn = await silent(service, wire)
    for _ in range(3):
        await turn()
