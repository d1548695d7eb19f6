from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.reliability.matrix import PROMISES, ROWS, Promise, Row
from benchmarks.reliability.page import page, state_of
from benchmarks.reliability.proofs import Outcome, exists, is_test, outcomes_in, run_scenario
from benchmarks.reliability.scenarios import SCENARIOS, Figure, Scenario, Skipped

ROW = Row(1, "Fault", "by hand", "all", ("tests/a.py::test_one", "long"))
PASSED = Outcome("passed")


def test_every_fault_has_its_row() -> None:
    assert [row.number for row in ROWS] == list(range(1, 53))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_every_proof_in_the_matrix_is_there(row: Row) -> None:
    assert missing(row.proofs) == []


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: str(promise.promise))
def test_every_proof_of_a_promise_is_there(promise: Promise) -> None:
    assert promise.proofs
    assert missing(promise.proofs) == []


def missing(proofs: Sequence[str]) -> list[str]:
    """The proofs that are neither a test nor a scenario."""
    names = {scenario.name for scenario in SCENARIOS}
    return [proof for proof in proofs if not (exists(proof) if is_test(proof) else proof in names)]


def test_every_scenario_proves_something() -> None:
    proofs = {proof for each in (*ROWS, *PROMISES) for proof in each.proofs}
    assert {scenario.name for scenario in SCENARIOS} <= proofs


def test_no_two_scenarios_have_one_name() -> None:
    assert max(Counter(scenario.name for scenario in SCENARIOS).values()) == 1


def test_a_row_is_passed_only_where_every_proof_of_it_was_run_and_held() -> None:
    assert state_of(ROW, {"tests/a.py::test_one": PASSED, "long": PASSED}) == "passed"
    assert state_of(ROW, {"tests/a.py::test_one": PASSED}) == "open: `long` was not run"
    failed = {"tests/a.py::test_one": Outcome("failed", "lost 1"), "long": PASSED}
    assert state_of(ROW, failed) == "open: `a.py::test_one` failed (lost 1)"
    skipped = {"tests/a.py::test_one": PASSED, "long": Outcome("skipped", "no strace")}
    assert state_of(ROW, skipped) == "open: `long` skipped (no strace)"
    assert state_of(Row(1, "Fault", "by hand", "all"), {}) == "open: no proof yet"


def test_a_report_of_pytest_tells_of_a_test_over_all_its_parameters(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite>"
        '<testcase classname="tests.a" name="test_one[1]" time="1"/>'
        '<testcase classname="tests.a" name="test_one[2]" time="1"><failure message="lost\n1"/></testcase>'
        '<testcase classname="tests.a" name="test_two" time="0.5"/>'
        '<testcase classname="tests.a" name="test_six" time="0"><skipped message="no strace"/></testcase>'
        "</testsuite></testsuites>"
    )
    nodes = [f"tests/a.py::test_{name}" for name in ("one", "two", "six", "none")]
    assert outcomes_in(report, nodes) == {
        nodes[0]: Outcome("failed", "lost 1", seconds=2.0),
        nodes[1]: Outcome("passed", seconds=0.5),
        nodes[2]: Outcome("skipped", "no strace"),
    }


def held(_work: Path, _short: bool) -> list[Figure]:
    return [Figure("lost", "0", "0"), Figure("seen", "7")]


def missed(_work: Path, _short: bool) -> list[Figure]:
    return [Figure("lost", "2", "0", held=False)]


def cannot_run(_work: Path, _short: bool) -> list[Figure]:
    raise Skipped("mounting is not allowed here")


def breaks(_work: Path, _short: bool) -> list[Figure]:
    raise ValueError("broken off")


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("held", "passed", ""),
        ("missed", "failed", "not as wanted: lost"),
        ("cannot_run", "skipped", "mounting is not allowed here"),
        ("breaks", "failed", "ValueError: broken off"),
    ],
)
def test_a_scenario_ends_as_its_figures_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, state: str, reason: str
) -> None:
    monkeypatch.setattr("benchmarks.quality.held", globals()[name], raising=False)
    outcome = run_scenario(Scenario(name, "Something", "quality:held"), tmp_path, short=True)
    assert (outcome.state, outcome.reason) == (state, reason)


def test_the_page_tells_figures_reasons_and_every_row() -> None:
    scenarios = [Scenario("long", "Long run", "x:y"), Scenario("other", "Other run", "x:y")]
    outcomes = {
        "tests/a.py::test_one": PASSED,
        "long": Outcome("passed", figures=(Figure("lost", "0", "0"),), seconds=3.0),
        "other": Outcome("skipped", "no strace"),
    }
    promises = [Promise("It holds", ("long",)), Promise("It lasts", ("other",))]
    text = page([ROW], scenarios, outcomes, facts={"commit": "abc"}, promises=promises)
    assert "| commit | abc |" in text
    assert "Of 1 faults: 1 passed, 0 not applicable, 0 open." in text
    assert "| lost | 0 | 0 |" in text
    assert "Skipped: no strace." in text
    assert "| 1 | Fault | by hand | all | `a.py::test_one`, `long` | passed |" in text
    assert "| It holds | `long` | passed |" in text
    assert "| It lasts | `other` | open: `other` skipped (no strace) |" in text
