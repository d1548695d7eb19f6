"""What the machine can do: matrix products at MiniLM's shapes, reading and copying memory, FAISS' flat scan."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import faiss
import numpy as np
import torch

from benchmarks.speed.children.lines import answer_orders

TOKENS = (512, 1024, 2048, 4096)
SHAPES = ((384, 1152), (384, 384), (384, 1536), (1536, 384))
"""Inner and outer width of the four products of a layer: query, key and value together; output; up; down."""
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
DIMENSION = 384


def matrix(threads: int, window_s: float) -> dict[str, dict[str, float]]:
    """GFLOP/s by type, for each shape and for the `layer`: all four products one after another.

    For each number of tokens the median of as many calls as fit the window, weights reused; of these the best.
    """
    torch.set_num_threads(threads)
    found = {}
    with torch.inference_mode():
        for name, kind in TYPES.items():
            rates = {f"{inner}x{outer}": _best(inner, outer, kind, window_s) for inner, outer in SHAPES}
            work = [inner * outer for inner, outer in SHAPES]
            taken = sum(each / rate for each, rate in zip(work, rates.values(), strict=True))
            found[name] = rates | {"layer": sum(work) / taken}
    return found


def _best(inner: int, outer: int, kind: torch.dtype, window_s: float) -> float:
    weights = torch.randn(inner, outer).to(kind)
    best = 0.0
    for tokens in TOKENS:
        rows = torch.randn(tokens, inner).to(kind)
        out = torch.empty(tokens, outer, dtype=kind)
        taken = _median_s(lambda rows=rows, out=out: torch.mm(rows, weights, out=out), window_s)  # type: ignore[misc]
        best = max(best, 2 * tokens * inner * outer / taken / 1e9)
    return best


def memory(megabytes: int, threads: int, window_s: float) -> dict[str, float]:
    """GB/s of numpy's sum and copy, which use one thread, and of FAISS' flat scan. A copy counts what it reads."""
    rows = np.random.default_rng(1).random((megabytes * 1_000_000 // (4 * DIMENSION), DIMENSION), dtype=np.float32)
    target = np.empty_like(rows)
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(rows)
    return {
        name: rows.nbytes / _median_s(call, window_s) / 1e9
        for name, call in (
            ("numpy sum", rows.sum),
            ("numpy copy", lambda: np.copyto(target, rows)),
            ("FAISS flat scan", lambda: index.search(rows[:1], 10)),
        )
    }


def _median_s(call: Callable[[], object], window_s: float) -> float:
    call()
    taken: list[float] = []
    while sum(taken) < window_s or len(taken) < 3:
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    answer_orders({"matrix": matrix, "memory": memory})
