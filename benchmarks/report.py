"""The figures as a table for people (Markdown) and as JSON for machines."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.bare import IN_A_SIGNATURE
from benchmarks.measuring import Figures
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.servers import Start

_HEAD = (
    "| operation | server CPU ms | × signature | aim | × bare Flask | aim | database CPU ms "
    "| per second | p95 ms | errors |\n|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Series:
    """Every run of one server on one database."""

    server: str
    database: str
    start: Start
    #: The second yardstick on the same server (benchmarks.bare).
    bare: list[Figures]
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
            f"{figures.multiple:6.2f} × signature  {figures.cpu_ms:7.3f} ms  "
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
        lines += [_row(each, self.runs[each.name], self._bare_ms()) for each in measured]
        return "\n".join([*lines, "", self._process_facts()])

    def _process_facts(self) -> str:
        idle = self.start.idle
        return (
            f"First answer after {self.start.first_answer_seconds:.2f} s. Memory "
            f"{idle.proportional_mib:.0f} MiB idle in {idle.processes} processes (the largest "
            f"{idle.largest_mib:.0f}), {self.loaded_mib:.0f} MiB after the load (the largest "
            f"{self.loaded_worker_mib:.0f}). One signature: {self._signature_ms():.3f} ms, "
            f"Flask with 200 bytes of JSON: {self._bare_ms():.3f} ms."
        )

    def _bare_ms(self) -> float:
        return statistics.median(run.cpu_ms for run in self.bare)

    def _signature_ms(self) -> float:
        return statistics.median(run.signature_ms for runs in self.runs.values() for run in runs)

    def as_json(self) -> dict[str, object]:
        """Return everything that was measured."""
        return asdict(self)


def _row(operation: Operation, runs: Sequence[Figures], bare_ms: float) -> str:
    def median(name: str) -> float:
        return statistics.median(float(getattr(run, name)) for run in runs)

    multiple = median("multiple")
    aim = "" if operation.aim is None else f"{operation.aim:g}"
    in_flask = "" if operation.aim is None else f"{operation.aim * IN_A_SIGNATURE:.1f}"
    errors = sum(len(run.errors) for run in runs)
    return (
        f"| {operation.title} | {median('cpu_ms'):.3f} | {multiple:.2f} | {aim} "
        f"| {median('cpu_ms') / bare_ms:.1f} | {in_flask} "
        f"| {median('database_cpu_ms'):.3f} | {median('per_second'):.0f} "
        f"| {median('p95_ms'):.1f} | {errors} |"
    )
