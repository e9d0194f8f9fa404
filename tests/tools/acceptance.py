"""Print one line for every acceptance id: how many tests show it, and whether they pass.

    id<TAB>number of tests<TAB>passed | failed | none

The ids come from docs/acceptance.md, the tests from a JUnit report: the one that
ACCEPTANCE_REPORT names, or that of a run made now.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/acceptance.md"
REPORT = ROOT / "tests/reports/junit.xml"
ID_ROW = re.compile(r"^\| ([AB][0-9]{2}|[A-Z]{2}-[0-9]{2}) \|", re.MULTILINE)
#: One id at the head of what is left of a test's name: `a13_` or `cd_02_`.
ID_IN_NAME = re.compile(r"(?:([ab])([0-9]{2})|([a-z]{2})_([0-9]{2}))(?:_|$)")


def documented_ids(document: Path = DOCUMENT) -> list[str]:
    """Return every id, in the order of the document."""
    return ID_ROW.findall(document.read_text(encoding="utf-8"))


def ids_in_name(test_name: str) -> list[str]:
    """Return the ids a test's name starts with: `test_a13_b23_cd_02_…` → A13, B23, CD-02."""
    rest = test_name.partition("[")[0].removeprefix("test_")
    found = []
    while match := ID_IN_NAME.match(rest):
        row, number, group, case = match.groups()
        found.append(f"{row}{number}".upper() if row else f"{group}-{case}".upper())
        rest = rest[match.end() :]
    return found


def read_report(report: Path) -> dict[str, dict[str, bool]]:
    """Return for every id its tests, each with whether all its cases passed."""
    shown: dict[str, dict[str, bool]] = defaultdict(dict)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 — a file we wrote
        name = case.get("name", "").partition("[")[0]
        test = f"{case.get('classname')}.{name}"
        passed = not any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
        for found in ids_in_name(name):
            shown[found][test] = shown[found].get(test, True) and passed
    return shown


def state_of(tests: dict[str, bool]) -> str:
    """Tell in one word what an id's tests say."""
    if not tests:
        return "none"
    return "passed" if all(tests.values()) else "failed"


def run_tests() -> None:
    """Run everything once; the table is the outcome, so the tests' own lines go to stderr."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    workers = os.environ.get("WORKERS", "2")
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal"]
    subprocess.run([*command, f"--junit-xml={REPORT}"], cwd=ROOT, stdout=sys.stderr, check=False)


def print_table(ids: Iterable[str], shown: dict[str, dict[str, bool]]) -> int:
    """Print the lines and the totals; return the exit code."""
    states = Counter()
    for name in ids:
        tests = shown.get(name, {})
        state = state_of(tests)
        states[state] += 1
        print(f"{name}\t{len(tests)}\t{state}")
    counts = ", ".join(f"{states[state]} {state}" for state in ("passed", "failed", "none"))
    print(f"total\t{states.total()}\t{counts}")
    return 1 if states["failed"] else 0


def main() -> int:
    """Make or find the report, and print the table."""
    chosen = os.environ.get("ACCEPTANCE_REPORT")
    if not chosen:
        run_tests()
    report = Path(chosen) if chosen else REPORT
    if not report.is_file():
        print(f"acceptance: there is no report at {report}; run `make test` first", file=sys.stderr)
        return 2
    return print_table(documented_ids(), read_report(report))


if __name__ == "__main__":
    sys.exit(main())
