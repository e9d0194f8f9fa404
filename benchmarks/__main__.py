"""Measure the provider: `python -m benchmarks --help`; exit code 1 if an operation failed.

Needs nothing but this repository's development environment; `--database postgresql` needs
PostgreSQL's programs (initdb, pg_ctl) on this machine.
"""

import argparse
import asyncio
import json
import os
import pstats
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.accounting import memory_of
from benchmarks.instrument import PROFILE_VARIABLE, TURN_OVER_PATH
from benchmarks.measuring import Load, count_statements, measure
from benchmarks.operations import BARE, OPERATIONS, Operation, Service
from benchmarks.postgres import running_cluster
from benchmarks.repeating import has_wrk
from benchmarks.report import Series
from benchmarks.servers import Start, find_port, serving, serving_bare, serving_instrumented
from benchmarks.town import found_town, opened
from benchmarks.wire import Wire

_DATABASES = ("sqlite", "postgresql")
_SERVERS = ("granian", "gunicorn-sync", "gunicorn-gthread")
_PROFILE_TURNS = 200
#: wrk counts in whole seconds.
_BARE_SECONDS = 1.0


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for and return the exit code."""
    options = _build_parser().parse_args(arguments)
    chosen = [each for each in OPERATIONS if each.name in options.operations]
    if options.statements or options.profile:
        for database in options.databases:
            _inspect(database, chosen, options)
        return 0
    all_series = [
        _measure_series(server, database, chosen, options)
        for database in options.databases
        for server in options.servers
    ]
    print()
    for series in all_series:
        print(series.table(), end="\n\n")
    if options.out is not None:
        options.out.write_text(json.dumps([each.as_json() for each in all_series], indent=1))
    return 1 if any(series.errors for series in all_series) else 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [each.name for each in OPERATIONS]
    add = parser.add_argument
    add("--databases", nargs="+", choices=_DATABASES, default=list(_DATABASES))
    add("--servers", nargs="+", choices=_SERVERS, default=["granian"])
    add("--operations", nargs="+", choices=names, default=names)
    add("--connections", type=int, default=32)
    add("--seconds", type=float, default=5, help="length of one run")
    add("--runs", type=int, default=3, help="the table shows medians")
    add("--workers", type=int, default=2)
    add("--threads", type=int, default=4, help="blocking threads of a worker")
    usual = "wrk" if has_wrk() else "own"
    add(
        "--driver",
        choices=("wrk", "own"),
        default=usual,
        help="what sends the requests that are the same every time (%(default)s here)",
    )
    add("--out", type=Path, help="write every figure to this file as JSON")
    add("--statements", action="store_true", help="only count the SQL statements")
    add("--profile", type=Path, help="only profile; write one .pstats an operation here")
    return parser


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[tuple[str, int | None]]:
    """Yield the address of a new database, and the process of its server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'idp.sqlite3'}", None
        return
    with running_cluster() as cluster:
        yield cluster.url, cluster.pid


@contextmanager
def _installation(
    database: str, options: argparse.Namespace
) -> Iterator[tuple[Service, int | None]]:
    with tempfile.TemporaryDirectory() as name, _database(database, Path(name)) as (url, pid):
        town = found_town(
            Path(name),
            port=find_port(),
            database_url=url,
            workers=options.workers,
            threads=options.threads,
        )
        with opened(town.settings, url) as (sessions, keys):
            yield Service(town, sessions, keys), pid


def _measure_series(
    server: str, database: str, chosen: Sequence[Operation], options: argparse.Namespace
) -> Series:
    size = {"workers": options.workers, "threads": options.threads}
    with _installation(database, options) as (service, database_pid):
        beside = replace(service, town=replace(service.town, port=find_port()))
        with serving(service.town, server, **size) as start:
            series = Series(server, database, start)
            load = replace(_load(service, start, options), database_pid=database_pid)
            with serving_bare(beside.town, server, **size) as bare:
                measure_bare = partial(_measure_bare, beside, _load(beside, bare, options))
                _measure_all(series, chosen, service, load, measure_bare, runs=options.runs)
            # The bare server is gone: it shared pages with the one that is measured.
            loaded = memory_of([start.pid])
        series.loaded_mib, series.loaded_worker_mib = loaded.proportional_mib, loaded.largest_mib
    return series


def _measure_bare(service: Service, load: Load) -> float:
    """Return what the second yardstick costs at this moment (CPU milliseconds)."""
    figures = asyncio.run(measure(BARE, service, replace(load, seconds=_BARE_SECONDS)))
    if figures.errors or not figures.done:
        raise SystemExit(f"bare Flask does not answer: {figures.errors}")
    return figures.cpu_ms


def _load(service: Service, start: Start, options: argparse.Namespace) -> Load:
    return Load(
        port=service.town.port,
        connections=options.connections,
        seconds=options.seconds,
        server_pid=start.pid,
        by_wrk=options.driver == "wrk",
    )


def _measure_all(
    series: Series,
    chosen: Sequence[Operation],
    service: Service,
    load: Load,
    measure_bare: Callable[[], float],
    *,
    runs: int,
) -> None:
    """Measure each operation, with the second yardstick right before and right after it."""
    before = measure_bare()
    for _ in range(runs):
        for operation in chosen:
            figures = asyncio.run(measure(operation, service, load))
            after = measure_bare()
            series.add(operation, replace(figures, bare_ms=(before + after) / 2))
            before = after


def _inspect(database: str, chosen: Sequence[Operation], options: argparse.Namespace) -> None:
    """Count the statements of each operation, or profile it."""
    folder: Path | None = options.profile
    extra = {}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        extra = {PROFILE_VARIABLE: str(folder.resolve())}
    with (
        _installation(database, options) as (service, _),
        serving_instrumented(service.town, extra),
    ):
        for operation in chosen:
            if folder is None:
                count = asyncio.run(count_statements(operation, service, service.town.port))
                print(f"{database:10s} {operation.title:45s} {count:3d} statements")
            else:
                asyncio.run(_profile(operation, service))
                _print_profile(folder / f"{operation.name}.pstats")


async def _profile(operation: Operation, service: Service) -> None:
    wire = Wire(service.town.port)
    if operation.name == "code":
        silent = next(each for each in OPERATIONS if each.name == "silent")
        turn = await silent.prepare(service, wire)
        for _ in range(_PROFILE_TURNS + 1):
            await turn()
    turn = await operation.prepare(service, wire)
    await turn()
    await wire.call("GET", f"{TURN_OVER_PATH}warm", {})
    for _ in range(_PROFILE_TURNS):
        await turn()
    await wire.call("GET", f"{TURN_OVER_PATH}{operation.name}", {})
    wire.close()


def _print_profile(path: Path) -> None:
    print(f"\n== {path.name}: {_PROFILE_TURNS} operations", flush=True)
    pstats.Stats(str(path), stream=sys.stdout).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    os.umask(0o077)
    # What was started is stopped on the way out, however this is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
