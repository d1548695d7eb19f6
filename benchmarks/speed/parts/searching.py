"""Search latency against the size of the index, beside the peers on the same passages and vectors; and many at once."""

from __future__ import annotations

import statistics
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from benchmarks.speed.engines import ENGINES, Engine, running, together
from benchmarks.speed.figures import Figure, Result, Table, in_rounds, percentile
from benchmarks.speed.machine import cores
from benchmarks.speed.plan import Plan, say
from benchmarks.speed.sized import Sized, sized

__all__ = ["measure"]

SEARCHERS = 8
ONE_THREAD = {
    "RAGNOTES_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
Latencies = dict[tuple[int, str], list[list[float]]]
"""Milliseconds of each question, round by round, by number of passages and engine."""


def measure(plan: Plan) -> Result:
    """Every engine answers the same questions in each round, others in the next; embedding the question counts."""
    taken: Latencies = defaultdict(list)
    indexes = sized(plan, plan.chunks)
    for index in indexes:
        _search(plan, index, taken)
    ratios, possible = _together(plan, indexes[-1])
    return _result(taken, ratios, possible, most=indexes[-1].chunks)


def _search(plan: Plan, index: Sized, taken: Latencies) -> None:
    names = plan.engines(*ENGINES)
    texts, vectors = plan.work / "texts.jsonl", plan.work / "vectors.npy"
    with together(names, plan.peers) as engines:
        _opened(engines["ragnotes"], index)
        if len(names) > 1:
            engines["ragnotes"].do("export", texts=str(texts), vectors=str(vectors))
        for name in names[1:]:
            engines[name].do("take", texts=str(texts), vectors=str(vectors))
        for engine in engines.values():
            engine.do("search_ms", questions=plan.inputs.queries(3, seed=-1))
        for number, order in enumerate(plan.in_turn(names)):
            questions = plan.inputs.queries(plan.queries, seed=number)
            for name in order:
                index.read()  # the peers hold everything in memory, and have put the index out of the system's
                ms = engines[name].do("search_ms", questions=questions).result
                taken[index.chunks, name].append(ms)
                say(f"search: {index.chunks:,} passages, {name}: {percentile(ms, 0.5):.1f} ms")


def _opened(engine: Engine, index: Sized) -> None:
    engine.do("ready")
    engine.do("open", corpus=str(index.corpus), index=str(index.index))


def _together(plan: Plan, index: Sized) -> tuple[list[float], list[float]]:
    """How many times the questions per second of one searcher with one thread, round by round; and how many times as
    many as one such process do as many as there are cores, which share the files and nothing else.
    """
    ratios, possible = [], []
    with ExitStack() as stack:
        all_cores = stack.enter_context(running("ragnotes_library"))
        ones = [stack.enter_context(running("ragnotes_library", environ=ONE_THREAD)) for _ in range(cores())]
        pool = stack.enter_context(ThreadPoolExecutor(len(ones)))
        for engine in (all_cores, *ones):
            _opened(engine, index)
            engine.do("search_together", questions=plan.inputs.queries(3, seed=-1), searchers=1)
        for number in range(plan.rounds):
            questions = plan.inputs.queries(plan.together, seed=100 + number)
            index.read()
            alone = _seconds(ones[0], questions, searchers=1)
            ratios.append(alone / _seconds(all_cores, questions, searchers=SEARCHERS))
            others = plan.inputs.queries(plan.together, seed=200 + number)  # whose words are not counted yet
            shares = [others[first :: len(ones)] for first in range(len(ones))]
            possible.append(alone / max(pool.map(partial(_seconds, searchers=1), ones, shares)))
            say(f"search: {SEARCHERS} at once: {ratios[-1]:.2f}x of {possible[-1]:.2f}x")
    return ratios, possible


def _seconds(engine: Engine, questions: list[str], *, searchers: int) -> float:
    return engine.do("search_together", questions=questions, searchers=searchers).seconds


def _result(taken: Latencies, ratios: list[float], possible: list[float], *, most: int) -> Result:
    rows = []
    series: dict[str, dict[str, list[tuple[float, float]]]] = {"latency": {}}
    for (chunks, name), rounds in taken.items():
        p50, p95 = _in_rounds(rounds, 0.5), _in_rounds(rounds, 0.95)
        told = [f"{each:.1f}" for each in (statistics.median(p50), statistics.median(p95), min(p50), min(p95))]
        rows.append((f"{chunks:,}", name, *told))
        for share, values in (("p50", p50), ("p95", p95)):
            series["latency"].setdefault(f"{name}, {share}", []).append((chunks, statistics.median(values)))
    note = "One client in the process; the question is embedded each time. The peers have the passages and vectors of"
    note += " the index of ragnotes, and their own way to search them. Median and least of the rounds."
    note += " The files of the index are read once before each turn: whether the system kept them is not measured."
    note += f" Concurrent searchers are {SEARCHERS} threads of one process; the one has another, of one thread."
    note += " A process on each core shows what the machine allows: each of one thread, with its part of the questions."
    header = ("passages", "engine", "p50 ms", "p95 ms", "least p50", "least p95")
    of_possible = f"{in_rounds(ratios, 'x')}; a process on each core {in_rounds(possible, 'x')}"
    figures = [*_figures(taken, most), Figure("together", of_possible, statistics.median(ratios) >= 1.6)]
    return Result("search", figures, [Table("Search", header, rows, note)], series)


def _figures(taken: Latencies, most: int) -> list[Figure]:
    own = {share: _in_rounds(taken[most, "ragnotes"], share) for share in (0.5, 0.95)}
    figures = [
        Figure(f"search p{100 * share:.0f}", in_rounds(values, " ms", digits=1), statistics.median(values) <= asked)
        for (share, values), asked in zip(own.items(), (40, 80), strict=True)
    ]
    for name in ("plain", "txtai"):
        if (most, name) in taken:
            ratios = {
                share: [
                    theirs / mine for mine, theirs in zip(own[share], _in_rounds(taken[most, name], share), strict=True)
                ]
                for share in own
            }
            told = " and ".join(in_rounds(each, "x as fast") for each in ratios.values())
            ahead = all(statistics.median(each) >= 1 for each in ratios.values())
            figures.append(Figure(f"search {name}", told, ahead))
    return figures


def _in_rounds(rounds: list[list[float]], share: float) -> list[float]:
    return [percentile(each, share) for each in rounds]
