"""What came of each proof: tests run by pytest, or read from its report, and scenarios."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reliability.scenarios import Figure, Scenario, Skipped

__all__ = ["ROOT", "Outcome", "exists", "is_test", "outcomes_in", "run_scenario", "run_tests"]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one proof. `state` is "passed", "failed" or "skipped"; `reason` says why it is not passed."""

    state: str
    reason: str = ""
    figures: tuple[Figure, ...] = ()
    seconds: float = 0.0


def is_test(proof: str) -> bool:
    return "::" in proof


def exists(node: str) -> bool:
    """Whether a test of this node id is written."""
    path, _, name = node.partition("::")
    file = ROOT / path
    return file.is_file() and bool(re.search(rf"^def {re.escape(name)}\(", file.read_text("utf-8"), re.MULTILINE))


def run_tests(nodes: Iterable[str]) -> dict[str, Outcome]:
    """The outcome of each test that exists, from one run of pytest."""
    there = sorted({node for node in nodes if exists(node)})
    if not there:
        return {}
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        subprocess.run(
            [sys.executable, "-m", "pytest", "-o", "junit_family=xunit2", f"--junitxml={report}", *there],
            cwd=ROOT,
            check=False,
            stdout=sys.stderr,
        )
        return outcomes_in(report, there) if report.exists() else {}


def outcomes_in(report: Path, nodes: Iterable[str]) -> dict[str, Outcome]:
    """The outcome of each of these tests in a JUnit report; those it does not tell of are left out."""
    cases: dict[str, list[ET.Element]] = {}
    for case in ET.parse(report).iter("testcase"):
        test = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').split('[')[0]}"
        cases.setdefault(test, []).append(case)
    return {node: _outcome(cases[node]) for node in nodes if node in cases}


def _outcome(cases: list[ET.Element]) -> Outcome:
    """Of one test over all its parameters: a failure or a skip of one is that of all."""
    seconds = sum(float(case.get("time", 0)) for case in cases)
    for tag, state in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = [element for case in cases if (element := case.find(tag)) is not None]
        if found:
            return Outcome(state, " ".join(found[0].get("message", "").split())[:200], seconds=seconds)
    return Outcome("passed", seconds=seconds)


def run_scenario(scenario: Scenario, work: Path, *, short: bool) -> Outcome:
    """Its figures; failed where one is not what is wanted or the scenario breaks off."""
    started = time.monotonic()
    try:
        figures = scenario.run(work, short=short)
    except Skipped as why:
        return Outcome("skipped", str(why), seconds=time.monotonic() - started)
    except Exception as error:  # the others are run all the same, and the page tells of this one
        traceback.print_exc()
        return Outcome("failed", f"{type(error).__name__}: {error}"[:300], seconds=time.monotonic() - started)
    missed = [figure.measure for figure in figures if not figure.held]
    state, reason = ("failed", f"not as wanted: {', '.join(missed)}") if missed else ("passed", "")
    return Outcome(state, reason, tuple(figures), time.monotonic() - started)
