"""What the machine can do, as a table."""

from __future__ import annotations

import statistics

from benchmarks.speed.engines import running
from benchmarks.speed.figures import Result, Table
from benchmarks.speed.machine import cores
from benchmarks.speed.plan import Plan

__all__ = ["measure"]


def measure(plan: Plan) -> Result:
    """Matrix products at MiniLM's shapes, and memory: the median of the rounds."""
    threads = cores()
    with running("limits") as machine:
        matrices, memories = [], []
        for _ in range(plan.rounds):
            matrices.append(machine.do("matrix", threads=threads, window_s=plan.window_s).result)
            memories.append(
                machine.do("memory", megabytes=plan.scanned_mb, threads=threads, window_s=plan.window_s).result
            )
    shapes = [
        (shape, *(f"{statistics.median(each[kind][shape] for each in matrices):.0f}" for kind in ("fp32", "bf16")))
        for shape in matrices[0]["fp32"]
    ]
    speeds = [(name, f"{statistics.median(each[name] for each in memories):.1f}") for name in memories[0]]
    return Result(
        "limits",
        [],
        [
            Table(
                f"Matrix products, GFLOP/s, {threads} threads",
                ("inner x outer width", "fp32", "bf16"),
                shapes,
                "torch, weights reused; for each shape the best number of tokens of 512 to 4096. `layer` is all four"
                " products of a layer of MiniLM one after another: the limit that embedding is measured by.",
            ),
            Table(
                f"Memory, GB/s read, over {plan.scanned_mb} MB",
                ("", "GB/s"),
                speeds,
                "numpy uses one thread, FAISS all; a flat index of these bytes cannot be scanned faster.",
            ),
        ],
    )
