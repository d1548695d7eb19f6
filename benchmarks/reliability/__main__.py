"""Runs every proof of the fault matrix and writes docs/reliability.md: `make reliability`."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.reliability.matrix import PROMISES, ROWS
from benchmarks.reliability.page import page, state_of
from benchmarks.reliability.proofs import ROOT, Outcome, is_test, outcomes_in, run_scenario, run_tests
from benchmarks.reliability.scenarios import SCENARIOS

TESTS = "tests"


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    wanted = options.only or [TESTS, *(scenario.name for scenario in SCENARIOS)]
    facts = _facts(short=options.short)
    outcomes: dict[str, Outcome] = {}

    def write() -> None:
        text = page(ROWS, SCENARIOS, outcomes, facts=facts, promises=PROMISES)
        if options.out is not None:  # after every step, so that a run cut off leaves what it has
            options.out.write_text(text, "utf-8")

    nodes = [proof for each in (*ROWS, *PROMISES) for proof in each.proofs if is_test(proof)]
    for report in options.junit:
        outcomes |= outcomes_in(report, nodes)
    if TESTS in wanted:
        say("tests")
        outcomes |= run_tests(node for node in nodes if node not in outcomes)
        write()
    for scenario in SCENARIOS:
        if scenario.name in wanted:
            say(f"{scenario.name}: {scenario.proves}")
            work = Path(mkdtemp(prefix=f"ragnotes-{scenario.name}-"))
            outcome = outcomes[scenario.name] = run_scenario(scenario, work, short=options.short)
            shutil.rmtree(work, ignore_errors=True)
            say(f"{scenario.name}: {outcome.state} in {outcome.seconds:.0f} s {outcome.reason}")
            for figure in outcome.figures:
                say(f"    {figure.measure}: {figure.value} ({figure.wanted})")
            write()
    _end(outcomes)


def _end(outcomes: dict[str, Outcome]) -> None:
    states = [state_of(row, outcomes) for row in ROWS]
    say(f"{sum(state == 'passed' for state in states)} of {len(ROWS)} rows passed")
    failed = [name for name, outcome in outcomes.items() if outcome.state == "failed"]
    for name in failed:
        say(f"failed: {name}: {outcomes[name].reason}")
    sys.exit(1 if failed else 0)


def _facts(*, short: bool) -> dict[str, str]:
    """When and on what it was measured."""
    with Path("/proc/meminfo").open() as lines:
        memory = int(next(lines).split()[1]) / 1024 / 1024
    return {
        "measured on": str(date.today()),
        "commit": _commit(),
        "length": "short" if short else "long",
        "machine": f"{os.cpu_count()} cores, {memory:.1f} GiB, {platform.system()} {platform.release()}",
        "versions": f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
    }


def _commit() -> str:
    """The commit that is checked out, with a sign where files differ from it."""
    described = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(described, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout.strip() or "unknown"


def _parser() -> argparse.ArgumentParser:
    names = [TESTS, *(scenario.name for scenario in SCENARIOS)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--out", type=Path, help="the page to write; without it only figures are told")
    parser.add_argument("--only", choices=names, action="append", help="run this alone; repeatable")
    parser.add_argument("--short", action="store_true", help="a few points of each scenario")
    parser.add_argument("--junit", type=Path, action="append", default=[], help="take tests from this report")
    return parser


say = partial(print, file=sys.stderr, flush=True)

if __name__ == "__main__":
    main()
