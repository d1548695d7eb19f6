"""What is to be reached: each aim with its key, in the order of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["AIMS", "PARTS", "Aim"]

PARTS = ("limits", "index", "embed", "vectors", "search", "million", "ask", "generate", "memory")


@dataclass(frozen=True, slots=True)
class Aim:
    """What is measured against what, what is asked, and the part of the benchmark that measures it."""

    what: str
    against: str
    asked: str
    part: str


_PLAIN = "the plain pipeline"
_INDEX = "indexing {}, notes per second, cold, models loaded"
_VECTORS = "the reference fp32 vectors"
_SEARCH = "hybrid search at 100,000 chunks, one client"
_MILLION = "hybrid search at 1,000,000 chunks"

AIMS: Mapping[str, Aim] = MappingProxyType(
    {
        "index vaults": Aim(_INDEX.format("`vaults/`"), _PLAIN, "2.5x or more", "index"),
        "index seed-notes": Aim(_INDEX.format("seed-notes"), _PLAIN, "2.5x or more", "index"),
        "index recall@1": Aim("its recall@1 on the questions about seed-notes", _PLAIN, "as good or better", "index"),
        "index recall@5": Aim("its recall@5 on the questions about seed-notes", _PLAIN, "as good or better", "index"),
        "embed": Aim(
            "embedding itself",
            "the machine's bf16 matrix limit on the same tokens, no padding counted",
            "0.6 or more",
            "embed",
        ),
        "mean cosine": Aim("vectors: mean cosine", _VECTORS, "0.995 or more", "vectors"),
        "worst cosine": Aim("vectors: worst cosine", _VECTORS, "0.98 or more", "vectors"),
        "dense nDCG": Aim(
            "vectors: nDCG@10 on scifact, by meaning alone",
            "the reference fp32 vectors",
            "lost 0.003 at most",
            "vectors",
        ),
        "fused nDCG": Aim("vectors: nDCG@10 on scifact, as searched", _VECTORS, "lost 0.003 at most", "vectors"),
        "search p50": Aim(f"{_SEARCH}: p50", "-", "40 ms or less", "search"),
        "search p95": Aim(f"{_SEARCH}: p95", "-", "80 ms or less", "search"),
        "search plain": Aim(f"{_SEARCH}: p50 and p95", "the plain pipeline's flat scan", "ahead", "search"),
        "search txtai": Aim(f"{_SEARCH}: p50 and p95", "txtai", "ahead", "search"),
        "million recall": Aim(f"{_MILLION}: recall@10", "exact scan", "0.98 or more", "million"),
        "million p95": Aim(f"{_MILLION}: p95", "-", "250 ms or less", "million"),
        "million memory": Aim(f"{_MILLION}: resident memory of the server", "-", "1.5 GB or less", "million"),
        "million ready": Aim(f"{_MILLION}: index ready after a restart", "-", "5 s or less", "million"),
        "million served": Aim(
            f"{_MILLION}: from the start of `ragnotes serve` to its first answer", "-", "stated", "million"
        ),
        "together": Aim(
            "8 concurrent searchers at 100,000 chunks", "one searcher held to one thread", "1.6x or more", "search"
        ),
        "ask served": Aim(
            "`ask` through a running server, time to evidence on the terminal",
            "the same request by curl",
            "0.25 s more or less",
            "ask",
        ),
        "ask cold": Aim(
            "`ask` with no server, cold process, to evidence",
            "importing sentence-transformers alone",
            "no slower",
            "ask",
        ),
        "prompt rate": Aim("prompt tokens per second inside ragnotes", "raw llama.cpp", "0.95 or more", "generate"),
        "write rate": Aim("generated tokens per second inside ragnotes", "raw llama.cpp", "0.95 or more", "generate"),
        "first token": Aim(
            "time to first generated token, warm", "the plain pipeline, same model", "3x faster or more", "generate"
        ),
        "idle memory": Aim("resident memory of an idle server with 10,000 chunks", "-", "stated", "memory"),
    }
)
