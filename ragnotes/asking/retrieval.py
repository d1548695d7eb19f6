"""A query to hits: dense and lexical candidates of one snapshot, fused, in a total order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ragnotes.asking.own_time import FROM_QUESTION, dated_within
from ragnotes.asking.words import query_terms
from ragnotes.ports import Snapshot
from ragnotes.types import Filters, Hit, Scored, Source, Vectors

__all__ = ["CANDIDATES", "DENSE_WEIGHT", "fuse", "retrieve"]

CANDIDATES = 100
"""How many chunks each side may bring in."""
DENSE_WEIGHT = 0.3
"""The share of the dense score, as the design measured it on scifact and squad."""


def retrieve(
    snapshot: Snapshot,
    query: str,
    vector: Vectors,
    *,
    filters: Filters,
    limit: int,
    is_fresh: Callable[[Source], bool],
) -> tuple[list[Hit], list[str]]:
    """The best `limit` chunks for `query`, best first, and the paths left out because their file changed or went.

    `vector` is the embedding of `query`. Scores lie in [0, 1]; ties go to the smaller chunk id. Nothing found gives [].
    Where the question itself asks for a time, passages of a longer one count only if there are no others.
    """
    lexical = snapshot.lexical(query_terms(query), CANDIDATES, filters)
    found = snapshot.dense(vector, CANDIDATES, filters)
    # Exact cosines of both sides' candidates: a chunk that only the words found is not scored as if it meant nothing.
    ids = list(dict.fromkeys(item.chunk_id for item in [*found, *lexical]))
    cosine = dict(zip(ids, snapshot.cosines(vector, ids), strict=True))
    fused = fuse([Scored(chunk_id, score) for chunk_id, score in cosine.items()], lexical)
    bm25 = dict(lexical)
    hits: list[Hit] = []
    fresh: dict[str, bool] = {}
    passages = {
        chunk.chunk_id: (chunk, source) for chunk, source in snapshot.passages([item.chunk_id for item in fused])
    }
    if filters.source == FROM_QUESTION:
        inside = [item for item in fused if dated_within(passages[item.chunk_id][0].place.date, filters)]
        fused = inside or fused
    for chunk_id, score in fused:
        if len(hits) == limit:
            break
        chunk, source = passages[chunk_id]
        if source.path not in fresh:
            fresh[source.path] = is_fresh(source)
        if fresh[source.path]:
            hits.append(Hit(chunk, source, len(hits) + 1, score, cosine[chunk_id], bm25.get(chunk_id, 0.0)))
    return hits, sorted(path for path, is_so in fresh.items() if not is_so)


def fuse(dense: Sequence[Scored], lexical: Sequence[Scored], *, weight: float = DENSE_WEIGHT) -> list[Scored]:
    """Merge two ranked lists by convex combination of their normalised scores, best first; ties go to the smaller id.

    Dense scores are scaled from their minimum to their maximum, lexical ones by their maximum. An id that is in one
    list only scores 0 in the other. Scores lie in [0, 1], rounded to 6 decimals before ties are broken. Empty input
    gives []. Source: Bruch, Gai, Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023.
    """
    low = min((item.score for item in dense), default=0.0)
    span = max((item.score for item in dense), default=0.0) - low
    top = max((item.score for item in lexical), default=0.0)
    scores: dict[str, float] = {}
    for chunk_id, score in dense:
        scores[chunk_id] = weight * ((score - low) / span if span else 1.0)
    for chunk_id, score in lexical:
        scores[chunk_id] = scores.get(chunk_id, 0.0) + (1 - weight) * (score / top if top else 0.0)
    merged = (Scored(chunk_id, round(score, 6)) for chunk_id, score in scores.items())
    return sorted(merged, key=lambda item: (-item.score, item.chunk_id))
