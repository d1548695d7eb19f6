"""Search by words: BM25 over passages and over the sections around them, by FTS5.

FTS5 finds where words stand at 0.05 µs a passage, and scores what it found at 1.5 µs. So where a question's words stand
in many passages, only those are scored that hold one of its rarer words, or several of the common ones; each by all
words of the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain

from ragnotes.answers import Filters, Scored
from ragnotes.stores.filtering import any_of, each_of, passing
from ragnotes.stores.rows import LISTED, Query, in_one_row, listed
from ragnotes.stores.schema import BM25_WEIGHTS
from ragnotes.stores.spelling import Spelled, respelled
from ragnotes.stores.vectors import SCORE_DECIMALS

__all__ = ["SCORED", "Counts", "LexicalSearch", "SharedCounts"]

SCORED, SCORED_OF = 1_000, 200
"""Passages that a question's rarer words may pick to be scored, or one in so many of all, whichever is more."""
COMMON, COMMON_OF = 10_000, 10
"""A word in more passages than these, and in more than one of so many, tells too little to be looked for."""
FILLING = 50_000
"""Where rarer words pick too few, so many of the newest that hold any word fill up the rest."""
ALL = -1
"""SQLite's LIMIT that is none."""
KEPT = 20_000
"""Expressions, and words of the vocabulary, whose counts are kept for the searches to come."""

BEST = """
    WITH matched AS MATERIALIZED (
        SELECT rowid AS id, -bm25(words, {weights}) / {times} AS score
        FROM words WHERE words MATCH ?{filter} ORDER BY rowid DESC LIMIT {most}
    ), cut AS MATERIALIZED (
        SELECT min(score) - 1e-{decimals} AS score FROM (SELECT score FROM matched ORDER BY score DESC LIMIT ?)
    )
    SELECT chunks.chunk_id, chunks.id, round(matched.score, {decimals}) AS score
    FROM matched CROSS JOIN chunks ON chunks.id = matched.id
    WHERE matched.score >= (SELECT score FROM cut)
    ORDER BY 3 DESC, chunks.chunk_id LIMIT ?
"""
"""Only rows that score as the last wanted one or better, once rounded, are joined and rounded: rows of `chunks` are
wide, and SQLite's `round` took a quarter of the time."""

SECTIONS = """
    WITH candidate AS MATERIALIZED (
        SELECT id, id - ordinal + section AS section FROM chunks WHERE id IN {listed}
    ), matched AS MATERIALIZED (
        SELECT rowid AS section, round(-bm25(sections) / {times}, {decimals}) AS score
        FROM sections WHERE sections MATCH ? AND +rowid IN (SELECT section FROM candidate)
    )
    SELECT id, score FROM candidate JOIN matched USING (section)
"""
"""The chunks of a document are numbered in one go, so the first of a section is found by counting back."""


@dataclass(slots=True)
class Counts:
    """In how many chunks of one generation expressions match, and how many chunks there are, once that was asked."""

    of: dict[str, int] = field(default_factory=dict)
    over: dict[str, int] = field(default_factory=dict)
    """What expressions are known to match more chunks than."""
    chunks: int | None = None
    spelled: Spelled = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """How much is remembered."""
        return len(self.of) + len(self.over) + sum(map(len, self.spelled.values()))


class SharedCounts:
    """The counts of the newest generation that any reader of this process needed, for all of its readers."""

    def __init__(self) -> None:
        self._published: tuple[str, int, Counts] | None = None

    def at(self, lineage: str, generation: int) -> Counts:
        """Those of this generation, begun anew where they are too many or another's."""
        published = self._published
        if published and published[:2] == (lineage, generation) and published[2].kept < KEPT:
            return published[2]
        counts = Counts()
        if published is None or published[0] != lineage or published[1] <= generation:
            self._published = (lineage, generation, counts)
        return counts


class LexicalSearch:
    """Search by words in one generation of an index; for one thread."""

    def __init__(
        self, query: Query, counts: Counts | None = None, *, scored: int = SCORED, filling: int = FILLING
    ) -> None:
        """`scored` is how many passages are scored before words are told apart by how rare they are."""
        self._query = query
        self._filling = filling
        self._counts = Counts() if counts is None else counts
        self._scored = scored
        self.rows: dict[str, int] = {}
        """The rows of the chunks that were found, by their ids."""

    @property
    def chunks(self) -> int:
        """How many there are."""
        if self._counts.chunks is None:
            [(self._counts.chunks,)] = self._query("SELECT count(*) FROM chunks", ())
        return self._counts.chunks

    def respelled(self, words: Sequence[str]) -> list[str]:
        """What words that occur nowhere may have been meant for, as they are written in the notes."""
        return respelled(self._query, self._occurs, words, self._counts.spelled)

    def _occurs(self, word: str) -> bool:
        """Whether any chunk holds the word, as stemmed by FTS5."""
        return self._stands_in(any_of([word]), self._most) > 0

    def best(
        self, words: Sequence[str], limit: int, filters: Filters, *, as_written: Sequence[str] = ()
    ) -> list[Scored]:
        """The best chunks by BM25 that hold any of the words, as stemmed by FTS5; scores are 0 or more, ties go by id.

        Words `as_written` are looked for in the text alone, not among the other forms of its words. In a large index
        chunks that hold one of the rarer words come before those that hold none, and of the latter the newest count.
        Words that a large part of it holds count only where the others find too few.
        """
        each = each_of(words, as_written=as_written)
        if not each or limit <= 0:
            return []
        limit = min(limit, 2**31)
        telling = self._telling(each)
        attempts = [self._expressions(telling), *([] if telling == each else [self._expressions(each)])]
        found: dict[str, float] = {}
        for expression, times, most in chain(*attempts):
            found = dict(self._best(expression, times, most, limit, filters)) | found
            if len(found) >= limit:
                break
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        return [Scored(chunk_id, score) for chunk_id, score in best[:limit]]

    def sections(self, words: Sequence[str], rows: Sequence[int]) -> list[float]:
        """BM25 of the section around the chunk of each row, in their order; 0 where it holds none of the words.

        Where enough chunks hold one of the rarer words, a section without any of them may have 0 as well. Words that a
        large part of the index holds count only where no section has another.
        """
        each = each_of(words)
        if not each:
            return [0.0] * len(rows)
        telling = self._telling(each)
        rare, common = self._by_rarity(telling)
        narrow = rare and common and sum(map(self._count, rare)) >= len(rows)
        expression, times = _narrowed(rare, common) if narrow else (" OR ".join(telling), 1)
        scores = self._section_scores(expression, times, rows)
        if (narrow or telling != each) and not scores:  # the rarer words stand elsewhere, as under a filter
            scores = self._section_scores(" OR ".join(each), 1, rows)
        return [scores.get(row, 0.0) for row in rows]

    def frequencies(self, words: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word stands, as stemmed by FTS5."""
        return {word: self._count(any_of([word])) for word in words}

    def _best(self, expression: str, times: int, most: int, limit: int, filters: Filters) -> list[tuple[str, float]]:
        """Ids and scores of the best of the newest rows of an expression that holds each word so many times."""
        condition, values = passing(filters) if filters else ("", [])
        statement = BEST.format(
            weights=", ".join(str(weight) for weight in BM25_WEIGHTS),
            times=times,
            decimals=SCORE_DECIMALS,
            most=most,
            # The + keeps SQLite from running the match anew for every allowed row.
            filter=f" AND +rowid IN ({condition})" if condition else "",
        )
        found = in_one_row(self._query, statement, ("chunk_id", "id", "score"), (expression, *values, limit, limit))
        self.rows |= {chunk_id: row for chunk_id, row, _ in found}
        return [(chunk_id, score) for chunk_id, _, score in found]

    def _section_scores(self, expression: str, times: int, rows: Sequence[int]) -> dict[int, float]:
        """Scores of the sections that match, by the rows of the chunks in them; see `_narrowed` for `times`."""
        statement = SECTIONS.format(listed=LISTED, decimals=SCORE_DECIMALS, times=times)
        return dict(in_one_row(self._query, statement, ("id", "score"), (listed(rows), expression)))

    def _expressions(self, each: Sequence[str]) -> Iterator[tuple[str, int, int]]:
        """Expressions that match more and more chunks, how often each has its words, and how many are scored.

        The last one matches wherever a word stands. An earlier one scores what it matches as high as a later one, or
        higher.
        """
        rare, common = self._by_rarity(each)
        if rare and common:
            yield *_narrowed(rare, common), ALL
        if len(common) > 1:
            common.sort(key=self._count)
        for number in range(1, len(common)):
            together = " AND ".join([*common[:number], f"({' OR '.join(common[number:])})"])
            if self._stands_in(together, self._most) <= self._most:
                yield together, 1, ALL
                break
        yield " OR ".join(each), 1, self._filling if rare and common else ALL

    def _telling(self, each: list[str]) -> list[str]:
        """The words without those that a large part of a large index holds, where others are left.

        They tell little apart, and to weigh a word FTS5 looks at every chunk that holds it.
        """
        most = max(COMMON, self.chunks // COMMON_OF)
        if self.chunks <= most:
            return each
        return [expression for expression in each if self._stands_in(expression, most) <= most] or each

    def _by_rarity(self, each: Sequence[str]) -> tuple[list[str], list[str]]:
        """The words that together stand in few enough chunks, the rarest first, and the others."""
        if self.chunks <= self._most:
            return list(each), []
        counts = {expression: self._stands_in(expression, self._most) for expression in each}
        order = sorted(each, key=counts.__getitem__)
        number = sum(total <= self._most for total in accumulate(map(counts.__getitem__, order)))
        return order[:number], order[number:]

    @property
    def _most(self) -> int:
        """In how many chunks rare words may stand together."""
        return max(self._scored, self.chunks // SCORED_OF)

    def _stands_in(self, expression: str, most: int) -> int:
        """The number of chunks that match, or any larger one than `most`: no more are counted."""
        counts = self._counts
        if expression not in counts.of and counts.over.get(expression, -1) < most:
            statement = f"SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT {most + 1})"
            [(count,)] = self._query(statement, (expression,))
            if count > most:
                counts.over[expression] = most
            else:
                counts.of[expression] = count
        return counts.of.get(expression, most + 1)

    def _count(self, expression: str) -> int:
        """The number of chunks that match."""
        return self._stands_in(expression, self.chunks)


def _narrowed(rare: Sequence[str], common: Sequence[str]) -> tuple[str, int]:
    """An expression that matches where a rare word stands, and how often it has each word.

    FTS5 scores a word as often as the expression has it, so all stand there equally often: the rare ones where they
    pick, and where they and the common ones are only to be scored.
    """
    return f"({' OR '.join(rare)}) AND ({' OR '.join([*rare, *common, *common])})", 2
