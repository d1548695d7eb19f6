"""Two ways of finding to one order: by meaning (cosine) and by words (BM25 of a passage, and of the section around it).

Each side is scaled to [0, 1] and counts by how much it tells the candidates apart: a side that finds all of them about
equally good, as an embedder does in a language that it does not know, says little.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ragnotes.answers import Fused, Signals
from ragnotes.languages import FUNCTION_WORDS, language_of
from ragnotes.ports import Embedder

__all__ = ["DENSE_WEIGHT", "FOREIGN_DENSE_WEIGHT", "SECTION_LIFTS", "SECTION_LOWERS", "dense_weight", "fuse"]

Scores = NDArray[np.float64]
"""One for each candidate, float64, shape (n,)."""

DENSE_WEIGHT = 0.53
"""How much meaning counts beside words; docs/log.md has what other weights gave on nine sets."""
FOREIGN_DENSE_WEIGHT = 0.25
"""The same, where the embedder does not know the language of the question."""
READ_WHOLE = 0.75
"""An embedder knows a language of whose function words it reads at least this share as one token each."""
SECTION_LIFTS, SECTION_LOWERS = 0.75, 0.1
"""How far a passage's score of words goes towards its section's, where that fits the question better, or worse."""


@lru_cache(maxsize=16)
def _known_to(_embedder: str) -> dict[str, bool]:
    """The languages that an embedder of that name was found to know, or not: that takes all their function words."""
    return {}


def dense_weight(question: str, embedder: Embedder) -> float:
    """How much meaning counts for this question: less where its language is none of the embedder's."""
    language = language_of(question)
    return DENSE_WEIGHT if language is None or _knows(embedder, language) else FOREIGN_DENSE_WEIGHT


def _knows(embedder: Embedder, language: str) -> bool:
    """Whether the language was in what the embedder's tokens were made from; its commonest words then are tokens."""
    known = _known_to(embedder.name)
    if language not in known:
        counts = embedder.count_tokens(sorted(FUNCTION_WORDS[language]))
        known[language] = sum(count == min(counts) for count in counts) >= READ_WHOLE * len(counts)
    return known[language]


def fuse(
    cosines: Mapping[str, float],
    bm25: Mapping[str, float],
    sections: Mapping[str, float],
    *,
    weight: float = DENSE_WEIGHT,
) -> list[Fused]:
    """All ids with their fused scores, best first; ties go to the smaller id. An id has 0 in a mapping that lacks it.

    Cosines are scaled from their minimum to their maximum, BM25 scores by their maximum. The lexical score of a passage
    is its own, drawn towards its section's: far where the section fits better, and a little where it fits worse.
    The sides are then mixed in proportion to `weight` and to one over their standard deviations, which ranks as the
    weighted sum of z-scores does and keeps all scores in [0, 1]. They are rounded to 6 decimals before ties are broken.
    Source: Bruch, Gai, Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023.
    """
    ids = sorted({*cosines, *bm25})
    dense, own, around = (np.array([side.get(name, 0.0) for name in ids]) for side in (cosines, bm25, sections))
    dense, own, around = _from_minimum(dense), _by_maximum(own), _by_maximum(around)
    lexical = own + np.where(around > own, SECTION_LIFTS, SECTION_LOWERS) * (around - own)
    share = _dense_share(dense, lexical, weight)
    rounded = (_rounded(side) for side in (share * dense + (1 - share) * lexical, dense, lexical))
    fused = [
        Fused(name, score, Signals(one, other, round(share, 6), sections.get(name, 0.0)))
        for name, score, one, other in zip(ids, *rounded, strict=True)
    ]
    return sorted(fused, key=lambda item: (-item.score, item.chunk_id))


def _from_minimum(scores: Scores) -> Scores:
    low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)


def _by_maximum(scores: Scores) -> Scores:
    top = scores.max(initial=0.0)
    return scores / top if top > 0 else np.zeros_like(scores)


def _rounded(scores: Scores) -> list[float]:
    rounded: list[float] = scores.round(6).tolist()
    return rounded


def _dense_share(dense: Scores, lexical: Scores, weight: float) -> float:
    """The share of the dense side, by what both tell apart; `weight` alone where one of them tells nothing apart."""
    spread, spread_of_words = _spread(dense), _spread(lexical)
    if not spread or not spread_of_words:
        return weight
    by_meaning, by_words = weight / spread, (1 - weight) / spread_of_words
    return by_meaning / (by_meaning + by_words)


def _spread(side: Scores) -> float:
    """The standard deviation; exactly 0 where all are the same, which sums of floats would not give."""
    return float(side.std()) if len(side) and side.max() > side.min() else 0.0
