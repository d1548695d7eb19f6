"""Search by words where a question's words stand in too many passages to score all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS, Filters
from ragnotes.stores import lexical
from ragnotes.stores.lexical import KEPT, LexicalSearch, SharedCounts
from ragnotes.stores.local import LocalStore
from ragnotes.stores.rows import Query, Row
from ragnotes.types import Kind
from tests.stores.samples import Entry, entry, fill

CHUNKS = 600
ALL = 10**6
FEW = 60
WORDS = [f"w{number}x" for number in range(300)]
"""The first stands in half of all passages, the hundredth in some ten of them."""
QUESTIONS = [
    ["w1x", "w2x", "w90x"],
    ["w0x", "w40x", "w150x", "w3x"],
    ["w5x", "w60x"],
    ["w0x", "w1x", "w2x", "w30x", "w70x", "w110x"],
]


def notes() -> Iterator[Entry]:
    draw = random.Random(5)
    weights = [1 / (number + 2) for number in range(len(WORDS))]
    for number in range(CHUNKS // 20):
        paragraphs = [" ".join(draw.choices(WORDS, weights, k=draw.randrange(8, 30))) for _ in range(20)]
        yield entry(f"{number:02}.md", *paragraphs, kind=Kind.PAPER if number % 3 else Kind.NOTE)


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    with closing(LocalStore.open(tmp_path_factory.mktemp("lexical") / "index", create=True)) as store:
        fill(store, *notes())
        with store.examining() as query:
            yield query


@pytest.mark.parametrize("words", QUESTIONS)
def test_the_best_passages_are_those_of_all(query: Query, words: list[str]) -> None:
    of_all = LexicalSearch(query, scored=ALL).best(words, 10, NO_FILTERS)
    of_few = LexicalSearch(query, scored=FEW).best(words, 10, NO_FILTERS)
    assert of_few[:3] == of_all[:3]
    assert len({hit.chunk_id for hit in of_few} & {hit.chunk_id for hit in of_all}) >= 8


@pytest.mark.parametrize("words", [*QUESTIONS, ["w0x"], ["w0x", "w1x", "w2x"], ["w200x"]])
@pytest.mark.parametrize("limit", [1, 10, 300])
def test_a_passage_has_the_score_that_all_words_of_the_question_give(
    query: Query, words: list[str], limit: int
) -> None:
    scores = {hit.chunk_id: hit.score for hit in LexicalSearch(query, scored=ALL).best(words, ALL, NO_FILTERS)}
    found = LexicalSearch(query, scored=FEW).best(words, limit, NO_FILTERS)
    assert len(found) == min(limit, len(scores))
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    # What is scored twice over and halved may differ in the last digit.
    assert [hit.score for hit in found] == pytest.approx([scores[hit.chunk_id] for hit in found], abs=1.1e-6)


def test_few_passages_are_scored_where_rare_words_pick_enough(query: Query) -> None:
    statements: list[str] = []

    def recorded(statement: str, values: Sequence[object]) -> list[Row]:
        statements.append(statement)
        return query(statement, values)

    LexicalSearch(recorded, scored=FEW).best(["w0x", "w1x", "w60x"], 5, NO_FILTERS)
    assert sum("bm25" in statement for statement in statements) == 1
    LexicalSearch(recorded, scored=FEW).best(["w0x", "w1x", "w299x"], 100, NO_FILTERS)
    assert sum("bm25" in statement for statement in statements) > 2


def test_a_question_of_common_words_alone_finds_those_that_hold_most_of_them(query: Query) -> None:
    words = ["w0x", "w1x", "w2x", "w3x"]
    search = LexicalSearch(query, scored=FEW)
    assert min(search.frequencies(words).values()) > FEW
    found = search.best(words, 5, NO_FILTERS)
    assert found[:1] == LexicalSearch(query, scored=ALL).best(words, 1, NO_FILTERS)
    assert len(found) == 5


@pytest.mark.parametrize("words", [*QUESTIONS, ["w0x", "w1x"]])
def test_what_a_filter_leaves_out_does_not_crowd_out_the_others(query: Query, words: list[str]) -> None:
    notes_only = Filters(kinds=(Kind.NOTE,))
    of_all = LexicalSearch(query, scored=ALL).best(words, 40, notes_only)
    of_few = LexicalSearch(query, scored=FEW).best(words, 40, notes_only)
    assert len(of_few) == len(of_all) == 40
    assert of_few[:3] == of_all[:3]


def test_the_section_of_a_passage_with_a_rare_word_scores_by_all_words(query: Query) -> None:
    words = ["w0x", "w1x", "w60x", "w61x"]
    search = LexicalSearch(query, scored=FEW)
    rows = [search.rows[hit.chunk_id] for hit in search.best(words, 10, NO_FILTERS)]
    of_all = LexicalSearch(query, scored=ALL).sections(words, rows)
    assert search.sections(words, rows) == pytest.approx(of_all, abs=1.1e-6)
    assert min(of_all) > 0


def test_words_are_counted_in_full_after_they_were_found_to_be_common(query: Query) -> None:
    search = LexicalSearch(query, scored=FEW)
    search.best(["w0x", "w60x"], 5, NO_FILTERS)
    assert search.frequencies(["w0x", "w60x"]) == LexicalSearch(query, scored=ALL).frequencies(["w0x", "w60x"])
    assert search.frequencies(["w0x"])["w0x"] > FEW + 1


def test_the_best_passages_of_a_common_word_are_found_wherever_they_stand(query: Query) -> None:
    for words in (["w0x"], ["w0x", "w1x"]):
        found = LexicalSearch(query, scored=FEW, filling=10).best(words, 5, NO_FILTERS)
        assert found[:1] == LexicalSearch(query, scored=ALL).best(words, 1, NO_FILTERS)
    one = LexicalSearch(query, scored=FEW, filling=10).best(["w0x"], 50, NO_FILTERS)
    assert one == LexicalSearch(query, scored=ALL).best(["w0x"], 50, NO_FILTERS)


def test_sections_without_the_rare_words_are_scored_by_the_others_where_no_section_has_them(query: Query) -> None:
    words, search = ["w0x", "w60x"], LexicalSearch(query, scored=FEW)
    holders = [search.rows[hit.chunk_id] for hit in search.best(["w0x"], ALL, NO_FILTERS)]
    rare = search.sections(["w60x"], holders)
    rows = [row for row, score in zip(holders, rare, strict=True) if not score][:5]
    assert len(rows) == 5
    of_all = LexicalSearch(query, scored=ALL).sections(words, rows)
    assert LexicalSearch(query, scored=FEW).sections(words, rows) == pytest.approx(of_all, abs=1.1e-6)
    assert min(of_all) > 0


def test_an_index_is_as_large_as_what_it_holds_however_often_its_notes_changed(tmp_path: Path) -> None:
    statements: list[str] = []
    with closing(LocalStore.open(tmp_path / "index", create=True)) as store:
        for times in range(10):
            fill(store, entry("a.md", *[f"w0x w{number}x {times}" for number in range(10)]))
        with store.examining() as query:

            def recorded(statement: str, values: Sequence[object]) -> list[Row]:
                statements.append(statement)
                return query(statement, values)

            [(last,)] = query("SELECT max(rowid) FROM chunks", ())
            assert last > 20
            assert LexicalSearch(recorded, scored=20).best(["w0x", "w1x"], 3, NO_FILTERS)
    assert not any("WHERE words MATCH ? LIMIT 21" in statement for statement in statements)  # nothing was told apart


def test_a_word_of_a_large_part_of_the_passages_is_not_looked_for_beside_others(
    query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "COMMON", FEW)
    monkeypatch.setattr(lexical, "COMMON_OF", 8)
    search = LexicalSearch(query, scored=FEW)
    wanted = search.best(["w60x", "w90x"], 10, NO_FILTERS)
    assert search.frequencies(["w0x"])["w0x"] > CHUNKS / 8 > FEW
    assert search.best(["w0x", "w60x", "w90x"], 10, NO_FILTERS) == wanted
    rows = [search.rows[hit.chunk_id] for hit in wanted]
    assert search.sections(["w0x", "w60x", "w90x"], rows) == search.sections(["w60x", "w90x"], rows)
    alone = LexicalSearch(query, scored=FEW).best(["w0x"], 10, NO_FILTERS)
    assert alone[:1] == LexicalSearch(query, scored=ALL).best(["w0x"], 1, NO_FILTERS)


@pytest.mark.parametrize(
    ("words", "filters"),
    [
        (["w0x", "unknown"], NO_FILTERS),
        (["w0x", "w250x"], NO_FILTERS),
        (["w0x", "w250x"], Filters(paths=("00.md",))),
    ],
    ids=["the other is nowhere", "the other is in few", "the other is elsewhere"],
)
def test_a_word_of_many_passages_is_looked_for_where_the_others_find_too_few(
    query: Query, monkeypatch: pytest.MonkeyPatch, words: list[str], filters: Filters
) -> None:
    monkeypatch.setattr(lexical, "COMMON", FEW)
    monkeypatch.setattr(lexical, "COMMON_OF", 8)
    search = LexicalSearch(query, scored=FEW)
    wanted = len(LexicalSearch(query, scored=ALL).best(words, 10, filters))
    assert wanted > 3
    found = search.best(words, 10, filters)
    assert len(found) == wanted
    rows = [search.rows[hit.chunk_id] for hit in found]
    if words[1] == "unknown":
        assert search.sections(words, rows) == LexicalSearch(query, scored=ALL).sections(words, rows)


def test_counts_are_those_of_a_readers_own_generation(tmp_path: Path) -> None:
    with closing(LocalStore.open(tmp_path / "index", create=True)) as store:
        fill(store, entry("a.md", "a river"))
        with store.reading() as old:
            assert (old.frequencies(["river"]), old.count()) == ({"river": 1}, 1)
            fill(store, entry("b.md", "the river", "another"))
            with store.reading() as new:
                assert (new.frequencies(["river"]), new.count()) == ({"river": 2}, 3)
            assert (old.frequencies(["another"]), old.count()) == ({"another": 0}, 1)
        with store.reading() as again:
            assert again.frequencies(["river", "another"]) == {"river": 2, "another": 1}


def test_counts_are_shared_until_they_are_many_and_no_older_reader_takes_their_place() -> None:
    shared = SharedCounts()
    counts = shared.at("one", 5)
    assert shared.at("one", 5) is counts
    assert shared.at("one", 4) is not counts
    assert shared.at("one", 5) is counts
    counts.of |= {str(number): 1 for number in range(KEPT)}
    assert shared.at("one", 5).of == {}
    assert shared.at("two", 5) is shared.at("two", 5)
