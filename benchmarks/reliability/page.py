"""What was run and what came of it, as the page docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.reliability.matrix import Promise, Row
from benchmarks.reliability.proofs import Outcome, is_test
from benchmarks.reliability.scenarios import Scenario

__all__ = ["page", "state_of"]


def page(
    rows: Sequence[Row],
    scenarios: Sequence[Scenario],
    outcomes: Mapping[str, Outcome],
    *,
    facts: Mapping[str, str],
    promises: Sequence[Promise] = (),
) -> str:
    """The whole page as Markdown."""
    lines = [
        "# What it survives",
        "",
        "Written by `make reliability`. A row of the table is `passed` only where every proof of it was run for this",
        "very page and held; a proof that was not run, was skipped or failed leaves it `open`.",
        "",
        *_table(("", ""), list(facts.items())),
        "",
        *_counts(rows, outcomes),
    ]
    for scenario in scenarios:
        if scenario.name in outcomes:
            lines += ["", *_scenario(scenario, outcomes[scenario.name])]
    lines += ["", "## The faults, one by one", "", *_matrix(rows, outcomes)]
    if promises:
        lines += ["", "## What is promised besides", "", *_promised(promises, outcomes)]
    return "\n".join(lines) + "\n"


def state_of(row: Row, outcomes: Mapping[str, Outcome]) -> str:
    """`passed`, `not applicable` or `open`, the last two with the reason."""
    if row.not_applicable:
        return f"not applicable: {row.not_applicable}"
    return _proved(row.proofs, outcomes)


def _proved(proofs: Sequence[str], outcomes: Mapping[str, Outcome]) -> str:
    if not proofs:
        return "open: no proof yet"
    for proof in proofs:
        outcome = outcomes.get(proof)
        if outcome is None:
            return f"open: `{_short(proof)}` was not run"
        if outcome.state != "passed":
            return f"open: `{_short(proof)}` {outcome.state} ({outcome.reason})"
    return "passed"


def _counts(rows: Sequence[Row], outcomes: Mapping[str, Outcome]) -> list[str]:
    states = [state_of(row, outcomes).split(":")[0] for row in rows]
    told = ", ".join(f"{states.count(state)} {state}" for state in ("passed", "not applicable", "open"))
    return [f"Of {len(rows)} faults: {told}."]


def _scenario(scenario: Scenario, outcome: Outcome) -> list[str]:
    lines = [f"## {scenario.proves}", ""]
    if outcome.state == "skipped":
        return [*lines, f"Skipped: {outcome.reason}."]
    lines += [f"`{scenario.name}`, {outcome.state}, {outcome.seconds:.0f} s.{_because(outcome)}"]
    if outcome.figures:
        figures = [(each.measure, each.value, each.wanted) for each in outcome.figures]
        lines += ["", *_table(("measure", "figure", "wanted"), figures)]
    return lines


def _because(outcome: Outcome) -> str:
    return f" {outcome.reason}." if outcome.reason else ""


def _matrix(rows: Sequence[Row], outcomes: Mapping[str, Outcome]) -> list[str]:
    header = ("#", "fault", "brought about by", "must hold", "proof", "state")
    return _table(
        header,
        [
            (
                str(row.number),
                row.fault,
                row.injected,
                row.holds,
                _listed(row.proofs),
                state_of(row, outcomes),
            )
            for row in rows
        ],
    )


def _promised(promises: Sequence[Promise], outcomes: Mapping[str, Outcome]) -> list[str]:
    found = [(each.promise, _listed(each.proofs), _proved(each.proofs, outcomes)) for each in promises]
    return _table(("promise", "proof", "state"), found)


def _listed(proofs: Sequence[str]) -> str:
    return ", ".join(f"`{_short(proof)}`" for proof in proofs)


def _short(proof: str) -> str:
    """A test without the folder that all tests are in."""
    return proof.removeprefix("tests/") if is_test(proof) else proof


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (header, ["---"] * len(header), *rows)
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]
