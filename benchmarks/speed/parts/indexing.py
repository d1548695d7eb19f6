"""Notes per second of a fresh index, ragnotes beside its peers, and whether what is indexed is found."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.speed.commands import ragnotes
from benchmarks.speed.engines import ENGINES, PEERS, Engine, environment, running
from benchmarks.speed.figures import Figure, Result, Table, in_rounds
from benchmarks.speed.inputs import notes_in, sample_of
from benchmarks.speed.plan import Plan, say
from ragnotes.evaluation.judging import holds_evidence
from ragnotes.evaluation.questions import Question

__all__ = ["measure", "recall"]

DEPTHS = (1, 5)


@dataclass(slots=True)
class Seen:
    """Seconds of each round by engine and folder, without and with the start of the process; and recall."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_s: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    with_start: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    recalls: dict[str, dict[int, float]] = field(default_factory=dict)
    passages: dict[tuple[str, str], int] = field(default_factory=dict)


def measure(plan: Plan) -> Result:
    """Every round begins new processes, whose models are loaded before the clock starts, and empty indexes.

    The whole of the vaults takes minutes, and is indexed in the first rounds only, and not by txtai.
    """
    seen = Seen()
    folders = {"seed-notes": plan.inputs.seed_notes}
    samples = [sample_of(plan.inputs.vaults, number, plan.work / "notes") for number in plan.samples]
    folders |= {sample.name: sample for sample in samples}
    for number, order in enumerate(plan.in_turn(plan.engines(*ENGINES))):
        for name in order:
            whole = {"vaults": plan.inputs.vaults} if number < plan.whole_rounds and name != "txtai" else {}
            _round(plan, seen, name, folders | whole)
    return _result(plan, seen, folders | {"vaults": plan.inputs.vaults})


def _round(plan: Plan, seen: Seen, name: str, folders: dict[str, Path]) -> None:
    with running(ENGINES[name], python=plan.peers if name in PEERS else None) as engine:
        engine.do("ready")
        start_s = time.perf_counter() - engine.started_at
        for folder, notes in folders.items():
            own = {"corpus": str(notes), "index": str(_fresh(plan))} if name == "ragnotes" else {"folder": str(notes)}
            reply = engine.do("index", **own)
            key = (name, folder)
            seen.seconds[key].append(reply.seconds)
            seen.cpu_s[key].append(reply.cpu_s)
            seen.passages[key] = reply.result
            taken = start_s + reply.seconds if name != "ragnotes" else _by_command(notes, _fresh(plan))
            seen.with_start[key].append(taken)
            say(f"index: {name}, {folder}: {reply.seconds:.1f} s, with start {taken:.1f} s")
            if folder == "seed-notes" and name not in seen.recalls:
                seen.recalls[name] = recall(partial(_hits, engine), plan.inputs.answerable())


def recall(search: Callable[[str], Sequence[Sequence[str]]], questions: Sequence[Question]) -> dict[int, float]:
    """The share of questions with a hit among the first k that holds the evidence, by k.

    A search gives its hits best first, each as the texts that may hold the evidence.
    """
    first = dict.fromkeys(DEPTHS, 0)
    for question in questions:
        hits = search(question.text)
        for depth in DEPTHS:
            first[depth] += any(holds_evidence(parts, question.evidence) for parts in hits[:depth])
    return {depth: found / len(questions) for depth, found in first.items()}


def _hits(engine: Engine, question: str) -> list[list[str]]:
    hits: list[list[str]] = engine.do("search", question=question, limit=max(DEPTHS)).result
    return hits


def _by_command(notes: Path, index: Path) -> float:
    """Seconds of `ragnotes index`, from the start of the process to its end."""
    started = time.perf_counter()
    command = ragnotes("index", "--corpus", str(notes), "--index", str(index), "--json")
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment())
    taken = time.perf_counter() - started
    assert json.loads(done.stdout)["added"], done.stdout
    return taken


def _fresh(plan: Plan) -> Path:
    index = plan.work / "fresh"
    shutil.rmtree(index, ignore_errors=True)
    return index


def _result(plan: Plan, seen: Seen, folders: dict[str, Path]) -> Result:
    numbers = {name: len(notes_in(folder)) for name, folder in folders.items()}
    rows = [
        (
            folder,
            str(numbers[folder]),
            name,
            str(seen.passages[name, folder]),
            f"{numbers[folder] / statistics.median(seconds):.2f}",
            f"{numbers[folder] / statistics.median(seen.with_start[name, folder]):.2f}",
            f"{statistics.median(seen.cpu_s[name, folder]):.1f}",
        )
        for (name, folder), seconds in sorted(seen.seconds.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    header = ("notes", "number", "engine", "passages", "notes/s", "notes/s with the start", "processor seconds")
    told = "Fresh indexes, the engines in turn. With the start: from the start of the process, so `ragnotes index` as a"
    told += " command; without, its models are loaded before the clock starts. Median of the rounds."
    found = [
        (name, *(f"{share:.3f}" for share in by_depth.values())) for name, by_depth in sorted(seen.recalls.items())
    ]
    recalled = ("engine", *(f"recall@{depth}" for depth in DEPTHS))
    asked = f"{len(plan.inputs.answerable())} questions; a hit counts that holds the evidence text."
    throughput: dict[str, dict[str, list[tuple[float, float]]]] = {"throughput": defaultdict(list)}
    for (name, folder), seconds in seen.seconds.items():
        throughput["throughput"][name].append((numbers[folder], numbers[folder] / statistics.median(seconds)))
    return Result(
        "index",
        _figures(seen),
        [Table("Indexing", header, rows, told), Table("What is found then", recalled, found, asked)],
        {plot: {name: sorted(points) for name, points in lines.items()} for plot, lines in throughput.items()},
    )


def _figures(seen: Seen) -> list[Figure]:
    figures = []
    for folder in ("vaults", "seed-notes"):
        if ratios := _ratios(seen.seconds, folder):
            started = _ratios(seen.with_start, folder)
            told = f"{in_rounds(ratios, 'x')}; with the start {in_rounds(started, 'x')}"
            figures.append(Figure(f"index {folder}", told, statistics.median(ratios) >= 2.5))
    if "plain" in seen.recalls:
        for depth in DEPTHS:
            own, plain = seen.recalls["ragnotes"][depth], seen.recalls["plain"][depth]
            figures.append(Figure(f"index recall@{depth}", f"{own:.3f} against {plain:.3f}", own >= plain))
    return figures


def _ratios(seconds: dict[tuple[str, str], list[float]], folder: str) -> list[float]:
    """How many times as fast as the plain pipeline, round by round."""
    own, plain = seconds.get(("ragnotes", folder), []), seconds.get(("plain", folder), [])
    return [theirs / mine for mine, theirs in zip(own, plain, strict=False)]
