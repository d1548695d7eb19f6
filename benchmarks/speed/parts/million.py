"""A million passages: what is found, how long it takes, what stays in memory, and how long a restart takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from benchmarks.reliability.serving import Served, serving
from benchmarks.speed.engines import running
from benchmarks.speed.figures import Figure, Result, Table, in_rounds, percentile
from benchmarks.speed.memory_of import memory_of
from benchmarks.speed.plan import Plan, say
from benchmarks.speed.sized import Sized, sized

__all__ = ["measure"]

LIMIT = 10


def measure(plan: Plan) -> Result:
    """Latency, memory and restarts by a real server; recall and the opening of the index by a process of its own."""
    (index,) = sized(plan, [plan.million])
    restarts, rounds, memory = [], [], {}
    for number in range(plan.rounds):
        index.read()
        started = time.perf_counter()
        with serving(index.corpus, index.index, ready=False) as served:
            questions = plan.inputs.queries(plan.queries, seed=200 + number)
            _search_ms(served, questions[:1])
            restarts.append(time.perf_counter() - started)
            rounds.append(_search_ms(served, questions))
            memory = memory_of(served.process.pid)
            say(f"million: first answer after {restarts[-1]:.1f} s, {memory}")
    recall, opened = _found(plan, index)
    return _result(index, restarts, rounds, memory, recall, opened)


def _search_ms(served: Served, questions: Sequence[str]) -> list[float]:
    taken = []
    with served.client() as client:
        for question in questions:
            started = time.perf_counter()
            client.post("/v1/search", json={"query": question, "limit": LIMIT}).raise_for_status()
            taken.append((time.perf_counter() - started) * 1000)
    return taken


def _found(plan: Plan, index: Sized) -> tuple[float, list[float]]:
    """Recall@10 of the vector search, and the seconds to open the index and search it, in new processes."""
    own = {"corpus": str(index.corpus), "index": str(index.index)}
    vectors = index.index.with_suffix(".npy")  # kept beside the index: to read a million vectors takes minutes
    opened = []
    for _ in range(plan.rounds):
        with running("ragnotes_library") as engine:
            engine.do("ready")
            opened.append(engine.do("first_dense", **own).seconds)
    with running("ragnotes_library") as engine:
        engine.do("ready")
        engine.do("open", **own)
        if index.build_s is not None or not vectors.exists():
            engine.do("export", vectors=str(vectors))
        questions = plan.inputs.queries(plan.queries, seed=300)
        recall = float(engine.do("nearest", questions=questions, limit=LIMIT, exact=str(vectors)).result)
    return recall, opened


def _result(
    index: Sized,
    restarts: list[float],
    rounds: list[list[float]],
    memory: dict[str, float],
    recall: float,
    opened: list[float],
) -> Result:
    p50, p95 = ([percentile(each, share) for each in rounds] for share in (0.5, 0.95))
    median = statistics.median
    figures = [
        Figure("million recall", f"{recall:.3f} ({len(rounds[0])} questions)", recall >= 0.98),
        Figure("million p95", in_rounds(p95, " ms", digits=0), median(p95) <= 250),
        Figure(
            "million memory",
            f"{memory['all'] / 1000:.2f} GB ({memory['anonymous'] / 1000:.2f} GB its own, the rest pages of files)",
            memory["all"] <= 1500,
        ),
        Figure("million ready", in_rounds(opened, " s", digits=1), median(opened) <= 5),
        Figure("million served", in_rounds(restarts, " s", digits=1)),
    ]
    built = "kept from an earlier run" if index.build_s is None else f"built in {index.build_s:.0f} s"
    table = Table(
        f"{index.chunks:,} passages",
        ("", "figure"),
        [("search by HTTP, p50", in_rounds(p50, " ms", digits=0)), ("the index", built)],
        "Sentences of the vaults drawn anew, vectors between those of real passages: see"
        " `benchmarks/speed/synthetic.py`. Files of the index are in the system's cache at a restart.",
    )
    points = {f"ragnotes, {name}": [(float(index.chunks), median(each))] for name, each in (("p50", p50), ("p95", p95))}
    return Result("million", figures, [table], {"latency": points})
