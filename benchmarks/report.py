"""The figures as a table for people (Markdown) and as JSON for machines."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.bare import BARE_MS, SIGNATURE_MS
from benchmarks.measuring import Figures
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.servers import Start

_HEAD = (
    "| operation | server CPU ms | × signature | aim | × bare Flask | aim | database CPU ms "
    "| per second | p95 ms | errors |\n|---|---|---|---|---|---|---|---|---|---|"
)

#: How long the machine of the aims may take to its first answer (issue 4).
_START_AIM_MS = 1_000


@dataclass
class Series:
    """Every run of one server on one database."""

    server: str
    database: str
    start: Start
    loaded_mib: float = 0.0
    loaded_worker_mib: float = 0.0
    runs: dict[str, list[Figures]] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """Return how many operations failed."""
        return sum(len(run.errors) for runs in self.runs.values() for run in runs)

    def add(self, operation: Operation, figures: Figures) -> None:
        """Keep one run, and say at once how it went."""
        self.runs.setdefault(operation.name, []).append(figures)
        print(
            f"{self.server:16s} {self.database:10s} {operation.name:14s} "
            f"{figures.multiple:6.2f} × signature  {figures.bare_multiple:6.1f} × bare  "
            f"{figures.cpu_ms:7.3f} ms  "
            f"{figures.per_second:8.0f}/s  p95 {figures.p95_ms:7.1f} ms  "
            f"errors {len(figures.errors)}",
            flush=True,
        )
        for error in dict.fromkeys(figures.errors):
            print(f"    {error}", flush=True)

    def table(self) -> str:
        """Return the medians of the runs as Markdown."""
        lines = [f"### {self.server} on {self.database}", "", _HEAD]
        measured = [each for each in OPERATIONS if each.name in self.runs]
        lines += [_row(each, self.runs[each.name]) for each in measured]
        return "\n".join([*lines, "", self._process_facts()])

    def _process_facts(self) -> str:
        idle, milliseconds = self.start.idle, self.start.first_answer_seconds * 1_000
        signature, bare = self._median("signature_ms"), self._median("bare_ms")
        return (
            f"First answer after {milliseconds:.0f} ms: {milliseconds / signature:.0f} signatures "
            f"(aim {_START_AIM_MS / SIGNATURE_MS:.0f}), {milliseconds / bare:.0f} × bare Flask "
            f"(aim {_START_AIM_MS / BARE_MS:.0f}). Memory "
            f"{idle.proportional_mib:.0f} MiB idle in {idle.processes} processes (the largest "
            f"{idle.largest_mib:.0f}), {self.loaded_mib:.0f} MiB after the load (the largest "
            f"{self.loaded_worker_mib:.0f}). One signature: {signature:.3f} ms, "
            f"Flask with 200 bytes of JSON: {bare:.3f} ms."
        )

    def _median(self, name: str) -> float:
        """Return a yardstick over all runs of all operations."""
        return statistics.median(
            float(getattr(run, name)) for runs in self.runs.values() for run in runs
        )

    def as_json(self) -> dict[str, object]:
        """Return everything that was measured."""
        return asdict(self)


def _row(operation: Operation, runs: Sequence[Figures]) -> str:
    def median(name: str) -> float:
        return statistics.median(float(getattr(run, name)) for run in runs)

    aim = "" if operation.aim is None else f"{operation.aim:g}"
    in_flask = "" if operation.aim is None else f"{operation.aim * SIGNATURE_MS / BARE_MS:.1f}"
    errors = sum(len(run.errors) for run in runs)
    return (
        f"| {operation.title} | {median('cpu_ms'):.3f} | {median('multiple'):.2f} | {aim} "
        f"| {median('bare_multiple'):.1f} | {in_flask} "
        f"| {median('database_cpu_ms'):.3f} | {median('per_second'):.0f} "
        f"| {median('p95_ms'):.1f} | {errors} |"
    )
