"""A query to hits: dense and lexical candidates of one snapshot, fused, in a total order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ragnotes.answers import Filters, Fused, Hit, Scored
from ragnotes.asking.duplicates import distinct
from ragnotes.asking.evidence import question_weights
from ragnotes.asking.fusion import DENSE_WEIGHT, fuse
from ragnotes.asking.own_time import FROM_QUESTION
from ragnotes.asking.recency import by_date, in_order_of_notes
from ragnotes.asking.words import has_content, other_spellings, query_terms, search_terms
from ragnotes.ports import Snapshot
from ragnotes.types import Source, Vectors

__all__ = ["CANDIDATES", "by_words", "retrieve", "retrieve_fresh", "terms_for"]

CANDIDATES = 100
"""How many chunks each side may bring in."""
READ_AT_ONCE = 32
MORE_SEARCHES = 2
"""How often a search is made again without the files that changed since they were indexed."""


def retrieve(
    snapshot: Snapshot,
    query: str,
    vector: Callable[[], Vectors],
    *,
    filters: Filters,
    limit: int,
    is_fresh: Callable[[Source], bool],
    weight: float = DENSE_WEIGHT,
    as_noted: bool = False,
) -> tuple[list[Hit], list[str]]:
    """The best `limit` chunks for `query`, best first, and the paths left out because their file changed or went.

    `vector` gives the embedding of `query`; it is asked once the words were looked for. `weight` is how much it counts
    beside the words. Scores lie in [0, 1]; ties go to the smaller chunk id. Nothing found gives [].
    A near copy of a better chunk is no hit of its own: the better one names its place.
    Where the question itself asks for a time, passages of a longer one count only if there are no others. `as_noted`
    says that it asks for nothing else: then all that was noted comes in the order of the notes.
    """
    if filters.source == FROM_QUESTION and not filters.within:
        inside = replace(filters, within=True)
        filters = inside if snapshot.any_passes(inside) else filters
    terms = terms_for(snapshot, query)
    bm25 = dict(by_words(snapshot, query, terms, filters))
    embedded = vector()
    found = snapshot.dense(embedded, CANDIDATES, filters)
    # Exact cosines of both sides' candidates: a chunk that only the words found is not scored as if it meant nothing.
    ids = list(dict.fromkeys([*(item.chunk_id for item in found), *bm25]))
    cosine = dict(zip(ids, snapshot.cosines(embedded, ids), strict=True))
    sections = dict(zip(ids, snapshot.sections(terms, ids), strict=True))
    ranked = _read(snapshot, fuse(cosine, bm25, sections, weight=weight), cosine, bm25)
    if filters.order:
        rarity = question_weights(snapshot, query) if has_content(query) else {}
        ranked = iter(by_date(list(ranked), rarity, filters))
    if as_noted:
        ranked = iter(in_order_of_notes(list(ranked)))
    fresh: dict[str, bool] = {}

    def unchanged(hit: Hit) -> bool:
        path = hit.source.path
        if path not in fresh:
            fresh[path] = is_fresh(hit.source)
            if not fresh[path]:
                snapshot.with_texts([hit.chunk])  # raises where it is the index that changed, and no file
        return fresh[path]

    hits = distinct(ranked, limit, is_fresh=unchanged)
    return _with_texts(snapshot, hits), sorted(path for path, is_so in fresh.items() if not is_so)


def retrieve_fresh(
    snapshot: Snapshot,
    query: str,
    vector: Callable[[], Vectors],
    *,
    filters: Filters,
    limit: int,
    is_fresh: Callable[[Source], bool],
    weight: float = DENSE_WEIGHT,
    as_noted: bool = False,
) -> tuple[list[Hit], list[str]]:
    """As `retrieve`, but searches again without the files that changed or went, where they crowded out others."""
    search = partial(
        retrieve, snapshot, query, vector, limit=limit, is_fresh=is_fresh, weight=weight, as_noted=as_noted
    )
    hits, left_out = search(filters=filters)
    for _ in range(MORE_SEARCHES):
        if len(hits) == limit or not left_out or set(left_out) == set(filters.without):
            break
        filters = replace(filters, without=tuple(left_out))
        hits, more = search(filters=filters)
        left_out = sorted({*left_out, *more})
    return hits, left_out


def terms_for(snapshot: Snapshot, query: str) -> list[str]:
    """The words of `query`, their other forms, and in place of unknown ones what is nearest."""
    return [*search_terms(query), *snapshot.respelled(query_terms(query))]


def by_words(snapshot: Snapshot, query: str, terms: Sequence[str], filters: Filters) -> list[Scored]:
    """The best chunks by `terms`, and by how else the words of `query` may be written."""
    return snapshot.lexical(terms, CANDIDATES, filters, as_written=other_spellings(query))


def _with_texts(snapshot: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
    """The hits, and the copies of each, with their texts."""
    chunks = [each.chunk for hit in hits for each in (hit, *hit.also)]
    texts = iter(snapshot.with_texts(chunks))
    return [
        replace(hit, chunk=next(texts), also=tuple(replace(copy, chunk=next(texts)) for copy in hit.also))
        for hit in hits
    ]


def _read(
    snapshot: Snapshot, fused: Sequence[Fused], cosine: Mapping[str, float], bm25: Mapping[str, float]
) -> Iterator[Hit]:
    """The hits in order, not yet ranked, without texts. Read as needed: most candidates are never looked at."""
    for first in range(0, len(fused), READ_AT_ONCE):
        batch = {item.chunk_id: item for item in fused[first : first + READ_AT_ONCE]}
        for chunk, source in snapshot.outlines(list(batch)):
            item = batch[chunk.chunk_id]
            words = bm25.get(chunk.chunk_id, 0.0)
            yield Hit(chunk, source, 0, item.score, cosine[chunk.chunk_id], words, item.signals)
