from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.ports import Store
from ragnotes.stores.spelling import slips
from tests.stores.samples import NO_FILTERS, entry, fill

WORDS = """
    transformer attention tokenizer parallelization kubernetes language retrieval packing steam model combustion
    transformación flash cache Übertragung GPT-4 2304.01904 stream
"""


@pytest.fixture
def notes(store: Store) -> Store:
    fill(store, entry("words.md", WORDS), entry("pairs.md", "flash attention", "a KV cache, there he sat"))
    return store


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("transfomer", ["transformer"]),
        ("trasnformers", ["transformer"]),
        ("Paralelization", ["parallelization"]),
        ("kubernettes", ["kubernetes"]),
        ("langauge", ["language"]),
        ("retreival", ["retrieval"]),
        ("tokeniser", ["tokenizer"]),
        ("modle", ["model"]),
        ("transformacoin", ["transformacion"]),
        ("ubertragng", ["ubertragung"]),
        ("flashattention", ["flash attention"]),
        ("kvcache", ["kv cache"]),
    ],
)
def test_an_unknown_word_is_taken_for_the_nearest_that_is_known(notes: Store, typed: str, meant: list[str]) -> None:
    with notes.reading() as snapshot:
        assert snapshot.respelled([typed]) == meant
        assert snapshot.lexical(meant, 5, NO_FILTERS) != []


@pytest.mark.parametrize(
    "typed",
    [
        *("transformers", "attend", "PACKED", "kubernets"),  # they occur, in some inflection
        *("stem", "steem", "strem", "mode", "cash"),  # too short to tell
        *("GPT-5", "gpt5", "2304.01905", "v2", "GPT4"),  # a digit is no slip
        *("electricity", "thehe", "検索拡張", "\ud800", "", " ", "a" * 5000),
    ],
)
def test_other_words_are_left_as_they_are(notes: Store, typed: str) -> None:
    with notes.reading() as snapshot:
        assert snapshot.respelled([typed]) == []


def test_what_is_deleted_is_meant_no_more(notes: Store) -> None:
    with notes.writer():
        notes.remove(["words.md"])
    with notes.reading() as snapshot:
        assert snapshot.respelled(["transfomer", "flashattention"]) == ["flash attention"]


def test_of_words_equally_near_those_that_more_chunks_hold_come_first_and_two_at_most(store: Store) -> None:
    fill(store, entry("a.md", "marked", "market", "market", "marker"))
    with store.reading() as snapshot:
        assert snapshot.respelled(["markez"]) == ["market", "marked"]
        assert snapshot.respelled(["marketx"]) == ["market"]


def test_no_more_than_three_words_of_a_question_are_looked_into(notes: Store) -> None:
    typed = ["langauge", "retreival", "tokeniser", "transfomer"]
    with notes.reading() as snapshot:
        assert snapshot.respelled(typed) == ["language", "retrieval", "tokenizer"]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_slips_are_the_distance_as_far_as_it_is_asked_for(left: str, right: str) -> None:
    far = slips(left, right, 6)
    assert far == slips(right, left, 6)
    assert (far == 0) == (left == right)
    assert (slips(left, right, 2) <= 2) == (far <= 2)
    assert far <= max(len(left), len(right))


@pytest.mark.parametrize(
    ("left", "right", "count"), [("", "ab", 2), ("ab", "ba", 1), ("kitten", "sitting", 3), ("abcd", "bacd", 1)]
)
def test_slips_are_letters_left_out_put_in_mistaken_or_swapped(left: str, right: str, count: int) -> None:
    assert slips(left, right, 4) == count
