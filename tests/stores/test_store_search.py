"""How every store searches: the hits and scores that numpy gives, within filters, ties broken by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ragnotes.answers import Filters, Scored
from ragnotes.ports import Store
from ragnotes.types import Chunk, Kind
from tests.stores.conftest import STORES
from tests.stores.samples import NO_FILTERS, Entry, OpenStore, entry, fill, vector_of, vectors_of


def dense_by_hand(query: str, chunks: list[Chunk], limit: int) -> list[Scored]:
    if not chunks:
        return []
    scores = vectors_of([chunk.embedded for chunk in chunks]).astype(np.float64) @ vector_of(query)
    hits = [Scored(chunk.chunk_id, round(float(score), 6)) for chunk, score in zip(chunks, scores, strict=True)]
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[:limit]


def many(count: int) -> list[Entry]:
    kinds = list(Kind)
    return [
        entry(
            f"{'work' if number % 2 else 'Home'}/{number:03}.md",
            *(f"paragraph {number} {part} common" for part in range(1 + number % 3)),
            kind=kinds[number % 3],
            tags=(("Ärger", "todo/Home") if number % 4 == 0 else ("misc",)),
            speaker="Ánn Lee, Bob" if number % 5 == 0 else None,
            date=f"2024-{1 + number % 12:02}-01/2024-{1 + number % 12:02}-20" if number % 2 else None,
        )
        for number in range(count)
    ]


FILTERS: dict[str, tuple[Filters, Callable[[Entry, Chunk], bool]]] = {
    "none": (NO_FILTERS, lambda each, chunk: True),
    "kinds": (Filters(kinds=(Kind.PAPER,)), lambda each, chunk: each.document.kind is Kind.PAPER),
    "kinds, either": (
        Filters(kinds=(Kind.PAPER, Kind.NOTE)),
        lambda each, chunk: each.document.kind is not Kind.TRANSCRIPT,
    ),
    "tags": (Filters(tags=("äRGER",)), lambda each, chunk: "Ärger" in each.document.metadata.tags),
    "tags, outer": (Filters(tags=("#Todo",)), lambda each, chunk: "Ärger" in each.document.metadata.tags),
    "tags, begun": (Filters(tags=("tod", "mi")), lambda each, chunk: False),
    "paths": (Filters(paths=("w*1.md",)), lambda each, chunk: each.document.path[0] + each.document.path[-4] == "w1"),
    "paths, classes": (Filters(paths=("*[!0-8].m?",)), lambda each, chunk: each.document.path.endswith("9.md")),
    "paths, no match": (Filters(paths=("home/*",)), lambda each, chunk: False),
    "paths, folder": (Filters(paths=("work",)), lambda each, chunk: each.document.path.startswith("work/")),
    "without": (
        Filters(without=("work/001.md", "Home/002.md")),
        lambda each, chunk: each.document.path not in ("work/001.md", "Home/002.md"),
    ),
    "speakers": (Filters(speakers=("ann lee",)), lambda each, chunk: chunk.place.speaker is not None),
    "since": (
        Filters(since=date(2024, 6, 10)),
        lambda each, chunk: chunk.place.date is not None and chunk.place.date.until >= date(2024, 6, 10),
    ),
    "until": (
        Filters(until=date(2024, 6, 1)),
        lambda each, chunk: chunk.place.date is not None and chunk.place.date.since <= date(2024, 6, 1),
    ),
    "a day within": (
        Filters(since=date(2024, 6, 10), until=date(2024, 6, 10)),
        lambda each, chunk: chunk.place.date is not None and chunk.place.date.since.month == 6,
    ),
    "whole dates within": (
        Filters(since=date(2024, 6, 1), until=date(2024, 6, 20), within=True),
        lambda each, chunk: chunk.place.date is not None and chunk.place.date.since.month == 6,
    ),
    "dates that only touch": (
        Filters(since=date(2024, 6, 2), until=date(2024, 6, 20), within=True),
        lambda each, chunk: False,
    ),
    "combined": (
        Filters(kinds=(Kind.NOTE,), paths=("work/*",), since=date(2024, 1, 1)),
        lambda each, chunk: (
            each.document.kind is Kind.NOTE and each.document.path < "x" and each.document.path[0] == "w"
        ),
    ),
}


@pytest.fixture(scope="module", params=STORES)
def searched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of 60 documents; tests that use it do not write."""
    with STORES[request.param](tmp_path_factory.mktemp("searched")) as opened:
        fill(opened, *many(60))
        yield opened


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_dense_hits_and_scores_equal_brute_force(searched: Store, name: str, limit: int) -> None:
    filters, passes = FILTERS[name]
    allowed = [chunk for each in many(60) for chunk in each.chunks if passes(each, chunk)]
    with searched.reading() as snapshot:
        assert snapshot.dense(vector_of("question"), limit, filters) == dense_by_hand("question", allowed, limit)


@pytest.mark.parametrize("name", FILTERS)
def test_lexical_hits_are_those_that_pass_with_the_scores_of_all(searched: Store, name: str) -> None:
    filters, passes = FILTERS[name]
    allowed = {chunk.chunk_id for each in many(60) for chunk in each.chunks if passes(each, chunk)}
    with searched.reading() as snapshot:
        everything = snapshot.lexical(["common", "7", "2"], 1000, NO_FILTERS)
        expected = [hit for hit in everything if hit.chunk_id in allowed]
        assert len(everything) == snapshot.count()
        assert snapshot.lexical(["common", "7", "2"], 1000, filters) == expected
        assert snapshot.lexical(["common", "7", "2"], 3, filters) == expected[:3]


def test_a_query_of_one_row_is_as_good_as_a_plain_one(searched: Store) -> None:
    with searched.reading() as snapshot:
        plain = snapshot.dense(vector_of("q"), 5, NO_FILTERS)
        assert snapshot.dense(vectors_of(["q"]), 5, NO_FILTERS) == plain
        assert snapshot.dense(vector_of("q"), 0, NO_FILTERS) == []


def test_cosines_are_the_dense_scores_in_the_order_asked(searched: Store) -> None:
    with searched.reading() as snapshot:
        hits = snapshot.dense(vector_of("q"), 20, NO_FILTERS)[::-1]
        assert snapshot.cosines(vector_of("q"), [hit.chunk_id for hit in hits]) == [hit.score for hit in hits]
        assert snapshot.cosines(vector_of("q"), []) == []
        others = {hit.chunk_id: hit.score for hit in snapshot.dense(vector_of("another"), 20, NO_FILTERS)}
        assert others
        snapshot.dense(vector_of("q"), 20, NO_FILTERS)
        assert snapshot.cosines(vector_of("another"), list(others)) == list(others.values())
        with pytest.raises(KeyError):
            snapshot.cosines(vector_of("q"), ["no such chunk"])


def test_chunks_that_tie_are_cut_off_by_id(store: Store) -> None:
    entries = [entry(f"{number}.md", "the same words") for number in range(50)]
    fill(store, *entries)
    ids = sorted(chunk.chunk_id for each in entries for chunk in each.chunks)
    with store.reading() as snapshot:
        dense = snapshot.dense(vector_of("the same words"), 9, NO_FILTERS)
        assert dense == [Scored(chunk_id, 1.0) for chunk_id in ids[:9]]
        assert [hit.chunk_id for hit in snapshot.lexical(["same"], 9, NO_FILTERS)] == ids[:9]


def test_lexical_scores_are_bm25(store: Store) -> None:
    """Source of the formula: https://sqlite.org/fts5.html#the_bm25_function, k1 = 1.2, b = 0.75."""
    texts = ["fox fox dog", "dog cat bird", "bird bird cat", "fish fish fish fish fish fish"]
    fill(store, *(entry(f"{number}.md", text) for number, text in enumerate(texts)))
    ids = [chunk.chunk_id for number, text in enumerate(texts) for chunk in entry(f"{number}.md", text).chunks]

    def bm25(frequency: int, length: int, documents: int) -> float:
        mean, total = 15 / 4, 4
        idf = np.log((total - documents + 0.5) / (documents + 0.5))
        return float(max(idf, 1e-6) * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length / mean)))

    with store.reading() as snapshot:
        [fox] = snapshot.lexical(["fox"], 9, NO_FILTERS)
        assert fox.chunk_id == ids[0]
        assert fox.score == pytest.approx(bm25(2, 3, 1), abs=1e-6)
        both = snapshot.lexical(["fox", "fish"], 9, NO_FILTERS)
        assert [hit.chunk_id for hit in both] == [ids[3], ids[0]]
        assert both[0].score == pytest.approx(bm25(6, 6, 1), abs=1e-6)
        assert snapshot.lexical(["zebra"], 9, NO_FILTERS) == []
        assert snapshot.lexical([], 9, NO_FILTERS) == []


def test_words_are_found_by_their_stem_without_accents_in_context_plain_and_links(store: Store) -> None:
    first = entry("a.md", "we were running", links=("https://example.org/Gefäß",))
    chunk = replace(first.chunks[0], context="Zürich > Marathon")
    second = entry("b.md", "nothing of it")
    fill(store, replace(first, chunks=(chunk,)), second)
    with store.reading() as snapshot:
        for word in ("runs", "RUNNING", "zurich", "marathons", "example.org", "gefaß"):
            assert [hit.chunk_id for hit in snapshot.lexical([word], 5, NO_FILTERS)] == [chunk.chunk_id], word


def test_words_as_written_are_not_looked_for_among_the_forms(store: Store) -> None:
    fill(store, entry("camel.md", "the KVCache"), entry("plain.md", "kv cache"), entry("other.md", "bird"))
    [camel], [plain] = entry("camel.md", "the KVCache").chunks, entry("plain.md", "kv cache").chunks
    with store.reading() as snapshot:
        both = snapshot.lexical(["kv cache"], 5, NO_FILTERS)
        assert {hit.chunk_id for hit in both} == {camel.chunk_id, plain.chunk_id}
        written = snapshot.lexical([], 5, NO_FILTERS, as_written=["kv cache"])
        assert [hit.chunk_id for hit in written] == [plain.chunk_id]
        assert snapshot.lexical(["bird"], 5, NO_FILTERS, as_written=["kv cache", "zebra"]) == sorted(
            [*written, *snapshot.lexical(["bird"], 5, NO_FILTERS)], key=lambda hit: (-hit.score, hit.chunk_id)
        )


def test_words_that_are_cut_alike_count_once(store: Store) -> None:
    fill(store, entry("a.md", "an e-mail"), entry("b.md", "bird"), entry("c.md", "cat"))
    with store.reading() as snapshot:
        once = snapshot.lexical(["e-mail"], 5, NO_FILTERS)
        assert snapshot.lexical(["e-mail", "e mail", "E.mail"], 5, NO_FILTERS, as_written=["e_mail"]) == once


@pytest.mark.parametrize(
    "word",
    [
        *('"', "'", "*", "fox*", "NOT", "OR", "a AND b", "plain:fox", "(", "^fox", "{plain}:", "-fox", "+", "fox\\"),
        *("", " ", "\0", "fox\0bird", "\ud800", 'fox" OR "bird', "NEAR(fox bird)", "; DROP TABLE chunks"),
    ],
)
def test_no_word_is_syntax(store: Store, word: str) -> None:
    fill(store, entry("a.md", "fox bird"), entry("b.md", "cat"))
    with store.reading() as snapshot:
        found = snapshot.lexical([word, "cat"], 5, NO_FILTERS)
        assert entry("b.md", "cat").chunks[0].chunk_id in [hit.chunk_id for hit in found]
        assert set(snapshot.frequencies([word])) == {word}


def test_a_question_of_many_words_is_answered(store: Store) -> None:
    fill(store, entry("a.md", "fox"))
    with store.reading() as snapshot:
        assert len(snapshot.lexical([f"word{number}" for number in range(5000)] + ["fox"], 5, NO_FILTERS)) == 1


def test_frequencies_count_chunks_by_stem(store: Store) -> None:
    fill(store, entry("a.md", "a dog and a dog", "dogs run"), entry("b.md", "a cat"))
    with store.reading() as snapshot:
        assert snapshot.frequencies(["dog", "Dogs", "cat", "zebra", "a cat"]) == {
            "dog": 2,
            "Dogs": 2,
            "cat": 1,
            "zebra": 0,
            "a cat": 1,
        }
        assert snapshot.frequencies([]) == {}


def sectioned(path: str, *sections: tuple[str, ...]) -> Entry:
    """A document whose chunks stand in these sections."""
    whole = entry(path, *(paragraph for section in sections for paragraph in section))
    firsts = [sum(map(len, sections[:number])) for number in range(len(sections))]
    numbers = [first for first, section in zip(firsts, sections, strict=True) for _ in section]
    chunks = tuple(replace(chunk, section=number) for chunk, number in zip(whole.chunks, numbers, strict=True))
    return replace(whole, chunks=chunks)


def section_scores(store: Store, *entries: Entry) -> list[float]:
    with store.reading() as snapshot:
        ids = [chunk.chunk_id for each in entries for chunk in each.chunks]
        return snapshot.sections(["fox", "birds"], ids)


def test_the_score_of_a_section_is_bm25_of_the_words_of_all_its_chunks(open_store: OpenStore, tmp_path: Path) -> None:
    notes = sectioned("a.md", ("fox", "dog"), ("bird bird",), ("cat", "fox bird", "cow"))
    others = [entry(f"{number}.md", "sheep goat") for number in range(4)]
    joined = [entry("1", "fox dog"), entry("2", "bird bird"), entry("3", "cat fox bird cow")]
    with open_store(tmp_path / "parts") as store, open_store(tmp_path / "wholes") as wholes:
        fill(store, notes, *others)
        fill(wholes, *joined, *others)
        with wholes.reading() as snapshot:
            found = dict(snapshot.lexical(["fox", "birds"], 9, NO_FILTERS))
        one, two, three = (found[each.chunks[0].chunk_id] for each in joined)
        assert section_scores(store, notes) == [one, one, two, three, three, three]
        assert section_scores(store, *others) == [0.0] * 4
        with store.reading() as snapshot:
            assert snapshot.sections([], [notes.chunks[0].chunk_id]) == [0.0]
            assert snapshot.sections(["fox"], ["no such chunk"]) == [0.0]


def test_sections_follow_what_is_replaced_and_removed(open_store: OpenStore, tmp_path: Path) -> None:
    before = sectioned("a.md", ("fox", "dog"), ("bird bird",))
    after = sectioned("a.md", ("fox fox", "dog"), ("cat",), ("bird", "cow"))
    other = sectioned("b.md", ("fox bird", "sheep"), ("hen",))
    with open_store(tmp_path / "changed") as store, open_store(tmp_path / "anew") as anew:
        fill(store, before, entry("c.md", "fox"), other)
        fill(store, after)
        with store.writer():
            store.remove(["c.md"])
        fill(anew, other, after)
        assert section_scores(store, after, other) == section_scores(anew, after, other)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_passes_where_any_chunk_does(searched: Store, name: str) -> None:
    filters, passes = FILTERS[name]
    with searched.reading() as snapshot:
        assert snapshot.any_passes(filters) is any(passes(each, chunk) for each in many(60) for chunk in each.chunks)


def test_what_there_is_to_filter_by_is_listed(searched: Store) -> None:
    with searched.reading() as snapshot:
        assert snapshot.values_of("tags") == ["misc", "todo/home", "ärger"]
        assert snapshot.values_of("speakers") == ["Bob", "Ánn Lee"]
        assert snapshot.values_of("kinds") == ["note", "paper", "transcript"]
        assert [path for path in snapshot.values_of("paths") if not path.endswith(".md")] == ["Home", "work"]
        assert (snapshot.values_of("since"), snapshot.values_of("until")) == (["2024-12-20"], ["2024-02-01"])


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    ("words", "held"),
    [
        ([["common"]], lambda text: True),
        ([["PARAGRAPHS"], ["7", "2"]], lambda text: {"7", "2"} & set(text.split())),
        (
            [["paragraph 1", "paragraph 12"], ["2"]],
            lambda text: text in ("paragraph 1 2 common", "paragraph 12 2 common"),
        ),
        ([["common"], ["zebra"]], lambda text: False),
        ([["common"], ["++"]], lambda text: True),
        ([["++"]], lambda text: False),
        ([], lambda text: True),
    ],
)
def test_what_holds_all_words_is_found_without_end_in_the_order_of_the_notes(
    searched: Store, name: str, words: list[list[str]], held: Callable[[str], object]
) -> None:
    filters, passes = FILTERS[name]
    expected = [
        (chunk.chunk_id, chunk.doc_id)
        for each in sorted(many(60), key=lambda each: each.document.path)
        for chunk in each.chunks
        if passes(each, chunk) and held(chunk.plain)
    ]
    with searched.reading() as snapshot:
        assert snapshot.holding(words, filters) == expected
