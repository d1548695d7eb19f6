from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.answers import Filters
from ragnotes.asking.words import content_stems, held_stems, names_in, negated, numbers_in, query_terms
from ragnotes.errors import UsageError
from ragnotes.stores.local import LocalStore
from ragnotes.types import DateRange, Kind
from tests.asking.stage import asker_over


def test_terms_leave_stop_words_and_keep_identifiers_whole_and_in_parts() -> None:
    assert query_terms("What is the kv_cache of GPT-3?") == ["kv_cache", "gpt", "3", "gpt-3"]
    assert query_terms("How is C++ used?") == ["c", "used", "c++"]
    assert query_terms("Who is it?") == ["who", "is", "it"]
    assert query_terms("?!") == []


def test_stop_words_are_those_of_the_question_s_own_language() -> None:
    assert query_terms("¿Qué es la caché de claves?") == ["caché", "claves"]
    assert query_terms("Was kostet der Zaun, und wer sagt das?") == ["kostet", "zaun", "sagt"]
    assert query_terms("Who is in Die Hard with the con man?") == ["die", "hard", "con", "man"]
    assert query_terms("¿Qué es?") == ["qué", "es"]


def test_a_text_holds_the_pieces_and_joined_forms_of_its_names() -> None:
    assert held_stems("KVCaches and GPT-4") >= {"kvcach", "kv", "cach", "gpt", "4", "gpt4", "and"}
    assert held_stems("") == set()


def test_words_are_compared_by_stem_numbers_by_value() -> None:
    assert content_stems("The caches were cached") == ["cach", "cach"]
    assert numbers_in("1,000 of 2.5 and 7") == {"1000", "2.5", "7"}
    assert names_in("What did Ada tell the New York press?") == ["ada", "new", "york"]
    assert names_in("Was kostet der Zaun am Haus der Oma?") == []
    assert [negated(text) for text in ("It doesn't fit", "nicht jetzt", "It fits")] == [True, True, False]


def test_the_best_passage_comes_first_with_its_place(store: LocalStore, tmp_path: Path) -> None:
    found = asker_over(store, tmp_path).search("exact prefix match", limit=2)
    first = found.hits[0]
    assert (first.source.path, first.rank, first.chunk.place.heading) == ("caches.md", 1, "Kinds")
    assert [hit.rank for hit in found.hits] == [1, 2]
    assert found.hits[0].score > found.hits[1].score
    assert first.bm25 > 0
    assert found.generation == 3


def test_filters_limit_the_search_and_not_its_result(store: LocalStore, tmp_path: Path) -> None:
    asker = asker_over(store, tmp_path)
    in_march = DateRange.parse("2024-03-01/2024-03-31")
    found = asker.search("cache", filters=Filters(since=in_march.since, until=in_march.until, source="flags"))
    assert [hit.chunk.place.date for hit in found.hits] == [DateRange.parse("2024-03-09")]
    assert asker.search("cache", filters=Filters(kinds=(Kind.PAPER,))).hits == ()
    assert {hit.source.path for hit in asker.search("cache", filters=Filters(paths=("l*",))).hits} == {"log.md"}


def test_a_changed_or_deleted_file_is_left_out_and_named(store: LocalStore, tmp_path: Path) -> None:
    asker = asker_over(store, tmp_path)
    (tmp_path / "notes" / "caches.md").unlink()
    (tmp_path / "notes" / "log.md").write_text("# 2024 Log\n\nNothing of cards.\n")
    found = asker.search("exact prefix match of the graphics card")
    assert found.left_out == ("caches.md", "log.md")
    assert {hit.source.path for hit in found.hits} == {"pillars.md"}


def test_a_touched_file_is_fresh(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "notes" / "caches.md").touch()
    assert asker_over(store, tmp_path).search("exact prefix match").left_out == ()


@pytest.mark.parametrize(("query", "problem"), [(" \n", "the question is empty"), ("x" * 100_000, "100000 characters")])
def test_an_empty_or_endless_query_is_refused(store: LocalStore, tmp_path: Path, query: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        asker_over(store, tmp_path).search(query)
