"""Measures how fast ragnotes is and writes docs/benchmarks.md: `make bench`."""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from benchmarks.speed.aims import PARTS
from benchmarks.speed.engines import ROOT, environment
from benchmarks.speed.figures import Result, read_result, write_result
from benchmarks.speed.inputs import Inputs, small_inputs
from benchmarks.speed.machine import commit, machine
from benchmarks.speed.page import page
from benchmarks.speed.parts import (
    asking,
    embedding,
    generating,
    indexing,
    limits,
    memory,
    million,
    searching,
    vectors,
)
from benchmarks.speed.plan import Plan, full, say, small

__all__ = ["main"]

PEERS = ROOT / ".venv-peers" / "bin" / "python"
STEPS: Mapping[str, Callable[[Plan], Result]] = {
    "limits": limits.measure,
    "index": indexing.measure,
    "embed": embedding.measure,
    "vectors": vectors.measure,
    "search": searching.measure,
    "million": million.measure,
    "ask": asking.measure,
    "generate": generating.measure,
    "memory": memory.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the parts that are asked for, keeps their results, and writes the page of all that are kept."""
    given = _parser().parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    plan = _plan(given)
    for part in () if given.page_only else given.only or PARTS:
        started = time.monotonic()
        say(f"{part}:")
        result = STEPS[part](plan)
        seconds = time.monotonic() - started
        known = replace(result, day=str(date.today()), commit=commit(), machine=machine())
        write_result(plan.results, replace(known, rounds=plan.rounds, small=plan.small, seconds=seconds))
        say(f"{part}: done in {seconds:.0f} s")
        _write(plan, given.out)  # after every part, so that a run cut off leaves what it has
    _write(plan, given.out)


def _plan(given: argparse.Namespace) -> Plan:
    peers = given.peers if given.peers.exists() else None
    if peers is None:
        say("without peers: there is no environment of theirs")
    if given.small:
        return small(small_inputs(given.work / "inputs"), given.work, peers)
    if given.data is None:
        raise SystemExit("--data DIR is needed, the folder of the sets; or --small")
    return full(Inputs(given.data), given.work, peers, given.rounds)


def _write(plan: Plan, out: Path) -> None:
    """The page and, where the peers' environment is there, the plots beside it."""
    results = {part: result for part in PARTS if (result := read_result(plan.results, part))}
    folder = out.with_suffix("")
    if plan.peers:
        draw = [str(plan.peers), "-m", "benchmarks.speed.plots", str(plan.results.resolve()), str(folder.resolve())]
        subprocess.run(draw, check=True, cwd=ROOT, env=environment())
    drawn = [plot.stem for plot in sorted(folder.glob("*.svg"))]
    out.write_text(page(results, plots=drawn), "utf-8")
    say(f"written: {out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of the sets")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"), help="the page to write")
    parser.add_argument("--work", type=Path, default=Path("indexes/bench"), help="where indexes and results are kept")
    parser.add_argument("--peers", type=Path, default=PEERS, help="their Python; where it is missing they are left out")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; repeatable")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured [default: 3]")
    parser.add_argument("--small", action="store_true", help="a few notes once, to see that all runs")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, write the page of what is kept")
    return parser


if __name__ == "__main__":
    main()
