from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.asking.fusion import DENSE_WEIGHT, FOREIGN_DENSE_WEIGHT, SECTION_LIFTS, SECTION_LOWERS, dense_weight, fuse
from ragnotes.languages import FUNCTION_WORDS
from ragnotes.models.hashing import HashingEmbedder

IDS = st.sampled_from("abcdefgh")
COSINES = st.dictionaries(IDS, st.floats(-1, 1), max_size=8)
BM25 = st.dictionaries(IDS, st.floats(0, 30), max_size=8)


def scores(fused: object) -> dict[str, float]:
    assert isinstance(fused, list)
    return {item.chunk_id: item.score for item in fused}


def test_the_score_is_the_sum_of_its_signals() -> None:
    words = {"b": 8.0, "d": 2.0}
    fused = fuse({"a": 0.9, "b": 0.5, "c": 0.1}, words, words)
    assert [item.chunk_id for item in fused] == ["b", "a", "d", "c"]
    signals = fused[0].signals
    # d has no cosine and lies at the bottom of a scale from 0 to 0.9
    assert (signals.dense, signals.lexical, signals.section_bm25) == (0.555556, 1.0, 8.0)
    for item in fused:
        parts = item.signals
        total = parts.dense_share * parts.dense + (1 - parts.dense_share) * parts.lexical
        assert item.score == pytest.approx(total, abs=2e-6)


def test_equal_scores_are_broken_by_id_and_nothing_found_gives_nothing() -> None:
    assert fuse({}, {}, {}) == []
    assert scores(fuse({"b": 0.2, "a": 0.2}, {}, {}, weight=0.3)) == {"a": 0.3, "b": 0.3}
    assert scores(fuse({"b": 0.1}, {"b": 3.0}, {"b": 3.0})) == {"b": 1.0}


def test_a_section_lifts_a_passage_far_and_lowers_it_little() -> None:
    cosines = {"a": 0.5, "b": 0.5, "c": 0.5}
    bm25, sections = {"a": 10.0, "b": 5.0, "c": 5.0}, {"a": 1.0, "b": 8.0, "c": 4.0}
    lexical = {item.chunk_id: item.signals.lexical for item in fuse(cosines, bm25, sections)}
    expected = {"a": 1 - SECTION_LOWERS * 0.875, "b": 0.5 + SECTION_LIFTS * 0.5, "c": 0.5}
    assert lexical == pytest.approx(expected)


@given(COSINES, BM25, BM25)
def test_fusion_ignores_the_order_of_its_input_and_stays_in_range(
    cosines: dict[str, float], bm25: dict[str, float], sections: dict[str, float]
) -> None:
    fused = fuse(cosines, bm25, sections)
    backwards = fuse(*({name: values[name] for name in reversed(values)} for values in (cosines, bm25, sections)))
    assert fused == backwards
    assert fused == sorted(fused, key=lambda item: (-item.score, item.chunk_id))
    assert all(0 <= item.score <= 1 for item in fused)
    assert {item.chunk_id for item in fused} == {*cosines, *bm25}


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 30)), min_size=3, max_size=8, unique_by=lambda pair: pair[0]))
def test_passages_rank_as_by_the_sum_of_z_scores(pairs: list[tuple[float, float]]) -> None:
    names = [chr(ord("a") + number) for number in range(len(pairs))]
    dense, lexical = (np.round(np.array(side), 2) for side in zip(*pairs, strict=True))
    words = dict(zip(names, lexical.tolist(), strict=True))
    fused = scores(fuse(dict(zip(names, dense.tolist(), strict=True)), words, words, weight=0.5))
    if not dense.std() or not lexical.std():
        return
    z = (dense - dense.mean()) / dense.std() + (lexical - lexical.mean()) / lexical.std()
    for one, first in zip(names, z.tolist(), strict=True):
        for other, second in zip(names, z.tolist(), strict=True):
            if first > second + 1e-4:
                assert fused[one] >= fused[other]


class EnglishReader(HashingEmbedder):
    """Reads English words whole, and others in pieces, as the tokens of an English model do."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "english-reader"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [1 if text in FUNCTION_WORDS["en"] else 2 for text in texts]


@pytest.mark.parametrize(
    ("question", "weight", "weight_of_english_reader"),
    [
        ("What is the prefix of the cache?", DENSE_WEIGHT, DENSE_WEIGHT),
        ("¿Qué es la caché de prefijos y para qué sirve?", DENSE_WEIGHT, FOREIGN_DENSE_WEIGHT),
        ("Wann habe ich über den Zwischenspeicher gelesen?", DENSE_WEIGHT, FOREIGN_DENSE_WEIGHT),
        ("kv cache", DENSE_WEIGHT, DENSE_WEIGHT),
    ],
)
def test_meaning_counts_less_in_a_language_that_the_embedder_does_not_know(
    question: str, weight: float, weight_of_english_reader: float
) -> None:
    assert dense_weight(question, HashingEmbedder()) == weight
    assert dense_weight(question, EnglishReader()) == weight_of_english_reader
