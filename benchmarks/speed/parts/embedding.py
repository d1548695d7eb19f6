"""Tokens per second of the embedder, as a share of what the machine could do for the same tokens."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.engines import running, together
from benchmarks.speed.figures import Figure, Result, Table, in_rounds
from benchmarks.speed.inputs import sample_of
from benchmarks.speed.plan import Plan, say

__all__ = ["gflop", "measure"]

LAYERS, WIDTH = 6, 384
FORMULA = "6 x (24 x 384² + 4 x 384 x L) for each token of a text of L tokens"
BF16 = frozenset({"avx512_bf16", "amx_bf16", "avx512_vnni", "avx_vnni", "bf16"})
"""Flags of processors that have bf16 or int8 dot products."""


def gflop(lengths: Sequence[int]) -> float:
    """The work that MiniLM-L6 is for texts of so many tokens, without padding.

    A layer multiplies each token with 12 x 384² weights (query, key, value, output; up and down to four times the
    width), and with every token of its text twice, each multiplication with an addition. What is no product of
    matrices is not counted.
    """
    return sum(length * LAYERS * (24 * WIDTH**2 + 4 * WIDTH * length) for length in lengths) / 1e9


def measure(plan: Plan) -> Result:
    """The same strings by ragnotes, by the plain pipeline, and the limit of the machine, in turn."""
    names = plan.engines("ragnotes", "plain")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    limits: list[dict[str, float]] = []
    with together(names, plan.peers) as engines, running("limits") as machine:
        threads = engines["ragnotes"].do("ready").result
        notes = sample_of(plan.inputs.vaults, max(plan.samples), plan.work / "notes")
        engines["ragnotes"].do("index", corpus=str(notes), index=str(plan.work / "embedded"))
        texts = engines["ragnotes"].do("strings", limit=plan.embedded).result
        lengths = engines["ragnotes"].do("tokens", texts=texts).result
        for order in plan.in_turn(names):
            rates = machine.do("matrix", threads=threads, window_s=plan.window_s).result
            limits.append({kind: rates[kind]["layer"] for kind in ("fp32", "bf16")})
            for name in order:
                seconds[name].append(engines[name].do("embed", texts=texts).seconds)
                say(f"embed: {name}: {sum(lengths) / seconds[name][-1]:.0f} tokens/s")
    return _result(seconds, limits, lengths)


def _result(seconds: dict[str, list[float]], limits: list[dict[str, float]], lengths: list[int]) -> Result:
    work = gflop(lengths)
    shares = {
        name: {
            kind: [work / each / limit[kind] for each, limit in zip(taken, limits, strict=True)] for kind in limits[0]
        }
        for name, taken in seconds.items()
    }
    rows = [
        (
            name,
            f"{sum(lengths) / statistics.median(taken):.0f}",
            f"{len(lengths) / statistics.median(taken):.1f}",
            f"{work / statistics.median(taken):.0f}",
            in_rounds(shares[name]["bf16"]),
            in_rounds(shares[name]["fp32"]),
        )
        for name, taken in seconds.items()
    ]
    note = f"{len(lengths)} strings of the vaults as ragnotes embeds them, {sum(lengths):,} tokens, no padding counted."
    note += f" FLOP: {FORMULA}, attention included. The limit is that of a whole layer, measured in each round."
    header = ("engine", "tokens/s", "strings/s", "GFLOP/s", "of the bf16 limit", "of the fp32 limit")
    own = shares["ragnotes"]["bf16"]
    reached = statistics.median(own) >= 0.6 if _has_fast_products() else None
    return Result("embed", [Figure("embed", in_rounds(own), reached)], [Table("Embedding", header, rows, note)])


def _has_fast_products() -> bool:
    with Path("/proc/cpuinfo").open() as lines:
        return any(not BF16.isdisjoint(line.split()) for line in lines if line.startswith(("flags", "Features")))
