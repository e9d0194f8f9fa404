"""The suite's own interface, as far as a run needs it."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from tests.conformance.plans import Plan

#: How long one module may take; some wait for the end of a lifetime.
MODULE_SECONDS = 300


@dataclass(frozen=True)
class Finding:
    """One condition that was not met."""

    level: str
    condition: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """How one module ended."""

    module: str
    status: str
    result: str
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether it went to its end without a failure."""
        return self.status == "FINISHED" and self.count("FAILURE") == 0

    def count(self, level: str) -> int:
        """Return how many findings are of a level."""
        return sum(finding.level == level for finding in self.findings)


def read_outcome(module: str, info: dict, log: list[dict]) -> Outcome:
    """Read what the suite says of a module: its state, and the entries of its log."""
    findings = tuple(
        Finding(entry["result"], str(entry.get("src", "")), str(entry.get("msg", "")))
        for entry in log
        if entry.get("result") in {"FAILURE", "WARNING"}
    )
    return Outcome(module, str(info.get("status")), str(info.get("result")), findings)


class Suite:
    """A suite at an address."""

    def __init__(self, origin: str, *, ca_file: str | None = None) -> None:
        trusted = ssl.create_default_context(cafile=ca_file)
        self._pause = threading.Event()
        self.http = httpx.Client(base_url=origin, verify=trusted, timeout=60)

    def run(
        self,
        plan: Plan,
        configuration: dict,
        *,
        only: str = "",
        visit: Callable[[str], None] | None = None,
    ) -> Iterator[Outcome]:
        """Run the modules of a plan one after another; `only` picks those whose name holds it.

        `visit` opens an address in a real browser; without it the suite's scripted one does.
        """
        made = self._post(
            "/api/plan",
            {"planName": plan.name, "variant": json.dumps(dict(plan.variant))},
            configuration,
        )
        for module in made["modules"]:
            if only in module["testModule"]:
                yield self._run_module(made["id"], module, visit)

    def _run_module(
        self, plan_id: str, module: dict, visit: Callable[[str], None] | None
    ) -> Outcome:
        name = module["testModule"]
        facts = {"test": name, "plan": plan_id}
        if module.get("variant") is not None:
            facts["variant"] = json.dumps(module["variant"])
        test_id = self._post("/api/runner", facts)["id"]
        if (
            self._wait(test_id, {"CONFIGURED", "WAITING", "FINISHED", "INTERRUPTED"})
            == "CONFIGURED"
        ):
            self._post(f"/api/runner/{test_id}", {})
        self._wait(test_id, {"FINISHED", "INTERRUPTED"}, visit)
        log = self.http.get(f"/api/log/{test_id}").raise_for_status().json()
        return read_outcome(name, self._info(test_id), log)

    def _wait(
        self, test_id: str, states: set[str], visit: Callable[[str], None] | None = None
    ) -> str:
        ends = time.monotonic() + MODULE_SECONDS
        status = ""
        while time.monotonic() < ends:
            status = str(self._info(test_id).get("status"))
            if status in states:
                return status
            if visit is not None:
                self._make_visits(test_id, visit)
            self._pause.wait(0.5)
        return status

    def _make_visits(self, test_id: str, visit: Callable[[str], None]) -> None:
        answer = self.http.get(f"/api/runner/browser/{test_id}")
        if answer.status_code != httpx.codes.OK:
            return
        for address in list(answer.json()["urls"]):
            self._post(f"/api/runner/browser/{test_id}/visit", {"url": address})
            visit(address)

    def _info(self, test_id: str) -> dict:
        answer = self.http.get(f"/api/info/{test_id}")
        return answer.json() if answer.status_code == httpx.codes.OK else {}

    def _post(self, path: str, query: dict, body: dict | None = None) -> dict:
        answer = self.http.post(path, params=query, json=body)
        if not answer.is_success:
            raise SystemExit(f"the suite refused {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else {}
