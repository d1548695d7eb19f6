"""A query to hits: dense and lexical candidates of one snapshot, fused, in a total order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ragnotes.asking.fusion import fuse
from ragnotes.asking.own_time import FROM_QUESTION, dated_within
from ragnotes.asking.words import other_spellings, query_terms, search_terms
from ragnotes.ports import Snapshot
from ragnotes.types import Filters, Hit, Scored, Source, Vectors

__all__ = ["CANDIDATES", "by_words", "retrieve", "terms_for"]

CANDIDATES = 100
"""How many chunks each side may bring in."""


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
    terms = terms_for(snapshot, query)
    bm25 = dict(by_words(snapshot, query, terms, filters))
    found = snapshot.dense(vector, CANDIDATES, filters)
    # Exact cosines of both sides' candidates: a chunk that only the words found is not scored as if it meant nothing.
    ids = list(dict.fromkeys([*(item.chunk_id for item in found), *bm25]))
    cosine = dict(zip(ids, snapshot.cosines(vector, ids), strict=True))
    sections = dict(zip(ids, snapshot.sections(terms, ids), strict=True))
    fused = fuse(cosine, bm25, sections)
    hits: list[Hit] = []
    fresh: dict[str, bool] = {}
    passages = {
        chunk.chunk_id: (chunk, source) for chunk, source in snapshot.passages([item.chunk_id for item in fused])
    }
    if filters.source == FROM_QUESTION:
        inside = [item for item in fused if dated_within(passages[item.chunk_id][0].place.date, filters)]
        fused = inside or fused
    for chunk_id, score, signals in ((item.chunk_id, item.score, item.signals) for item in fused):
        if len(hits) == limit:
            break
        chunk, source = passages[chunk_id]
        if source.path not in fresh:
            fresh[source.path] = is_fresh(source)
        if fresh[source.path]:
            hits.append(Hit(chunk, source, len(hits) + 1, score, cosine[chunk_id], bm25.get(chunk_id, 0.0), signals))
    return hits, sorted(path for path, is_so in fresh.items() if not is_so)


def terms_for(snapshot: Snapshot, query: str) -> list[str]:
    """The words of `query`, their other forms, and in place of unknown ones what is nearest."""
    return [*search_terms(query), *snapshot.respelled(query_terms(query))]


def by_words(snapshot: Snapshot, query: str, terms: Sequence[str], filters: Filters) -> list[Scored]:
    """The best chunks by `terms`, and by how else the words of `query` may be written."""
    return snapshot.lexical(terms, CANDIDATES, filters, as_written=other_spellings(query))
