"""The same question again: the same answer without search or model, as long as nothing has changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ragnotes.answers import Answer, Filters, Mode
from ragnotes.asking.answer_cache import AnswerCache, ask_cached
from ragnotes.asking.answering import Asker, Request
from ragnotes.clock import Clock
from ragnotes.events import Cited, Event, Final, Passages
from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.loaders import Limits
from ragnotes.stores.local import LocalStore
from ragnotes.types import Kind, Vectors
from tests.asking.stage import ScriptedGenerator, asker_over

CACHE = "Which cache requires an exact prefix match?"
DRAFT = "The Prompt cache requires an exact prefix match."


class CountingEmbedder(HashingEmbedder):
    """Says how often a question was embedded, which every search begins with."""

    def __init__(self) -> None:
        super().__init__()
        self.questions = 0

    def embed_queries(self, texts: Any) -> Vectors:
        self.questions += len(texts)
        return super().embed_queries(texts)


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def asker(store: LocalStore, tmp_path: Path, embedder: CountingEmbedder) -> Asker:
    return replace(asker_over(store, tmp_path, ScriptedGenerator(DRAFT)), embedder=embedder)


def ask(asker: Asker, cache: AnswerCache, question: str = CACHE, **options: Any) -> list[Event]:
    return list(ask_cached(asker, Request(question, **options), cache))


def answer_of(events: list[Event]) -> Answer:
    assert isinstance(events[-1], Final)
    return events[-1].answer


def test_the_same_question_again_is_answered_without_search_or_model(asker: Asker, embedder: CountingEmbedder) -> None:
    cache = AnswerCache()
    first, again = ask(asker, cache), ask(asker, cache, f"  {CACHE}\n")
    assert embedder.questions == 1
    assert isinstance(asker.generator, ScriptedGenerator)
    assert len(asker.generator.prompts) == 1
    assert again[:-1] == first[:-1]
    assert isinstance(again[0], Passages)
    assert any(isinstance(event, Cited) for event in again)
    before, after = answer_of(first), answer_of(again)
    assert before.usage
    assert after == replace(before, timings_ms=after.timings_ms, usage={})
    assert "cached" not in before.timings_ms
    assert after.timings_ms["cached"] == after.timings_ms["total"] < 1000


@pytest.mark.parametrize(
    "options",
    [
        {"question": "Which cache keeps keys and values?"},
        {"llm": False},
        {"limit": 3},
        {"surroundings": True},
        {"filters": Filters(kinds=(Kind.NOTE,))},
        {"clock": Clock(datetime(2020, 5, 1, 12, tzinfo=UTC))},
    ],
)
def test_another_question_is_another_answer(asker: Asker, embedder: CountingEmbedder, options: dict[str, Any]) -> None:
    cache = AnswerCache()
    ask(asker, cache)
    ask(asker, cache, **options)
    assert embedder.questions == 2


def test_the_time_of_day_and_a_deadline_make_no_other_answer(asker: Asker, embedder: CountingEmbedder) -> None:
    cache = AnswerCache()
    for hour in (8, 17):
        ask(asker, cache, clock=Clock(datetime(2024, 5, 1, hour, tzinfo=UTC)), deadline_s=20.0 + hour)
    assert embedder.questions == 1


def test_another_model_is_another_answer(asker: Asker, embedder: CountingEmbedder) -> None:
    cache = AnswerCache()
    other = ScriptedGenerator("No.")
    other.name = "other"
    assert answer_of(ask(asker, cache)).mode is Mode.GENERATED
    assert answer_of(ask(replace(asker, generator=other), cache)).mode is Mode.EXTRACTIVE
    assert embedder.questions == 2


def test_a_changed_file_is_noticed_before_anything_of_it_is_shown(asker: Asker, tmp_path: Path) -> None:
    cache = AnswerCache()
    ask(asker, cache)
    (tmp_path / "notes" / "caches.md").write_text("Rewritten.\n")
    answer = answer_of(ask(asker, cache))
    assert "cached" not in answer.timings_ms
    assert answer.left_out == ("caches.md",)
    assert not any(citation.source.path == "caches.md" for citation in answer.citations)
    assert "cached" not in answer_of(ask(asker, cache)).timings_ms  # files may come back


def test_a_deleted_file_is_noticed_too(asker: Asker, tmp_path: Path) -> None:
    cache = AnswerCache()
    ask(asker, cache)
    (tmp_path / "notes" / "caches.md").unlink()
    assert answer_of(ask(asker, cache)).left_out == ("caches.md",)


def test_another_generation_of_the_index_is_asked_anew(
    asker: Asker, store: LocalStore, tmp_path: Path, embedder: CountingEmbedder
) -> None:
    cache = AnswerCache()
    before = answer_of(ask(asker, cache))
    (tmp_path / "notes" / "more.md").write_text("The tokenizer cache requires an exact prefix match as well.\n")
    Indexer(store, HashingEmbedder(), (tmp_path / "notes",), tmp_path / "index", Limits()).update(lambda _: None)
    after = answer_of(ask(asker, cache))
    assert after.generation > before.generation
    assert embedder.questions == 2


@pytest.mark.parametrize("draft", [None, DRAFT])
def test_answers_without_the_models_word_are_not_kept(
    asker: Asker, embedder: CountingEmbedder, draft: str | None
) -> None:
    cache = AnswerCache()
    generator = ScriptedGenerator(draft)
    generator.loaded = draft is None
    hasty = replace(asker, generator=generator)
    answer = answer_of(ask(hasty, cache, deadline_s=5.0 if draft is None else 0.1))
    assert answer.reason is not None
    assert answer.reason.startswith("late" if draft else "no draft")
    assert len(cache) == 0
    assert answer_of(ask(replace(asker, no_model="no model: none", generator=None), cache)).reason == "no model: none"
    assert len(cache) == 0


def test_an_abstention_is_kept(asker: Asker, embedder: CountingEmbedder) -> None:
    cache = AnswerCache()
    reasons = [answer_of(ask(asker, cache, "Who won the chess tournament in Reykjavik?")).reason for _ in range(2)]
    assert reasons[0] == reasons[1]
    assert embedder.questions == 1


def test_a_cancelled_or_unread_answer_is_not_kept(asker: Asker) -> None:
    cache = AnswerCache()
    ask(asker, cache, cancelled=lambda: True)
    next(ask_cached(asker, Request(CACHE), cache))
    assert len(cache) == 0


def test_the_answer_asked_for_longest_ago_goes_first(asker: Asker, embedder: CountingEmbedder) -> None:
    cache = AnswerCache(size=2)
    for question in (CACHE, "What about the KV cache?", CACHE, "What are the three pillars?", CACHE):
        ask(asker, cache, question)
    assert (len(cache), embedder.questions) == (2, 3)


def test_many_threads_may_ask_at_once(asker: Asker) -> None:
    cache = AnswerCache(size=2)
    questions = [CACHE, "What are the three pillars?", "What about the KV cache?"] * 8
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda question: answer_of(ask(asker, cache, question)), questions))
    assert {answer.question: answer.text for answer in found} == {
        question: answer_of(ask(asker, AnswerCache(), question)).text for question in questions
    }
    assert len(cache) == 2
