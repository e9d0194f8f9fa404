"""Run the ten certification plans against a provider: see README.md beside this file."""

import argparse
import json
import sys
from contextlib import nullcontext
from pathlib import Path

from tests.conformance.plans import (
    PLANS,
    Plan,
    build_fapi,
    build_openid,
    leave_visits_to_us,
)
from tests.conformance.seed import seed
from tests.conformance.suite import Outcome, Suite
from tests.conformance.visits import open_visitor


def main(arguments: list[str]) -> int:
    """Seed a provider, or run plans; the exit code tells whether anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--suite", required=True, help="address of the suite, https://…")
    parser.add_argument("--folder", type=Path, required=True, help="where seed.json lies")
    parser.add_argument("--seed", type=Path, metavar="CONFIG", help="fill this empty provider")
    parser.add_argument("--issuer", help="the provider to judge")
    parser.add_argument("--ca-file", help="a private certificate authority to trust")
    parser.add_argument("--only", default="", help="run modules whose name holds this")
    parser.add_argument("plans", nargs="*", help="words of the plans' titles; none means all")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        seed(options.seed, options.suite, options.folder)
        return 0
    if options.issuer is None:
        parser.error("say which provider: --issuer")
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    secrets = json.loads((options.folder / "secrets.json").read_text(encoding="utf-8"))
    suite = Suite(options.suite, ca_file=options.ca_file)
    chosen = choose_plans(options.plans)
    if not chosen:
        raise SystemExit("no plan has such a title")
    failed = False
    for plan in chosen:
        configuration = _configure(plan, options, secrets)
        trusts_everyone = options.ca_file is not None
        opened = (
            open_visitor(trusts_everyone=trusts_everyone) if plan.needs_browser else nullcontext()
        )
        outcomes = []
        with opened as visitor:
            visit = visitor.visit if visitor else None
            for outcome in suite.run(plan, configuration, only=options.only, visit=visit):
                _tell(outcome)
                outcomes.append(outcome)
        failed |= not is_passed(outcomes)
        print(summarise(plan, outcomes), flush=True)
    return int(failed)


def choose_plans(words: list[str]) -> list[Plan]:
    """Return the plans whose title holds one of the words; all of them without a word."""
    return [
        plan
        for plan in PLANS
        if not words or any(word.lower() in plan.title.lower() for word in words)
    ]


def _configure(plan: Plan, options: argparse.Namespace, secrets: dict) -> dict:
    issuer = options.issuer
    if plan.clients:
        keys = {name: secrets["keys"][name] for name in plan.clients}
        return build_fapi(issuer, suite=options.suite.rstrip("/"), keys=keys)
    configuration = build_openid(issuer, initial_access_token=secrets["initial_access_token"])
    return leave_visits_to_us(configuration) if plan.needs_browser else configuration


def _tell(outcome: Outcome) -> None:
    print(f"  {outcome.status}\t{outcome.result}\t{outcome.module}", flush=True)
    for finding in outcome.findings:
        print(f"    {finding.level}\t{finding.condition}: {finding.message}", flush=True)


def is_passed(outcomes: list[Outcome]) -> bool:
    """Whether modules ran, and all of them to a clean end: nothing run is nothing shown."""
    return bool(outcomes) and all(outcome.is_clean for outcome in outcomes)


def summarise(plan: Plan, outcomes: list[Outcome]) -> str:
    """Return the line of a plan: modules, those that failed, warnings."""
    failures = sum(not outcome.is_clean for outcome in outcomes)
    warnings = sum(outcome.count("WARNING") for outcome in outcomes)
    return f"{plan.title}\t{len(outcomes)} modules\t{failures} failed\t{warnings} warnings"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
